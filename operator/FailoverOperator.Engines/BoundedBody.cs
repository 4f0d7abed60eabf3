namespace FailoverOperator.Engines;

/// <summary>Reads an answer of somebody who may send without end.</summary>
internal static class BoundedBody
{
    /// <summary>Null: longer than allowed. Never more than one byte beyond the bound is held.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken deadline)
    {
        var buffer = new byte[maxBytes + 1];
        var stream = await response.Content.ReadAsStreamAsync(deadline);
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, deadline);
        return length > maxBytes ? (ReadOnlyMemory<byte>?)null : buffer.AsMemory(0, length);
    }
}
