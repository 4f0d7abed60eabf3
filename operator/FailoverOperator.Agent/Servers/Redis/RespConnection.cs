using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverOperator.Agent.Servers.Redis;

/// <summary>The server answered with an error, such as <c>READONLY You can't write against a read only replica.</c></summary>
internal sealed class RedisErrorException(string message) : Exception(message);

/// <summary>
/// One connection that speaks RESP2, one command at a time. No client library: those retry and reconnect behind one's back, and need
/// threads and memory of their own. After a failure it is of no further use.
/// </summary>
internal sealed class RespConnection(Stream stream) : IDisposable
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private const int MaxDepth = 4;

    private byte[] _buffer = new byte[8192];
    private int _start;
    private int _end;

    public static async Task<RespConnection> OpenAsync(IPEndPoint endpoint, string? password, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            var connection = new RespConnection(new NetworkStream(socket, ownsSocket: true));
            if (password is not null) _ = await connection.CallAsync(cancellationToken, "AUTH", password);
            return connection;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one command and reads its answer: a string, a whole number, a list of these, or null.</summary>
    /// <exception cref="RedisErrorException">The server refused.</exception>
    /// <exception cref="IOException">Whether the command was carried out is unknown.</exception>
    public async Task<object?> CallAsync(CancellationToken cancellationToken, params string[] command)
    {
        var request = new StringBuilder(FormattableString.Invariant($"*{command.Length}\r\n"));
        foreach (var part in command) _ = request.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n");
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), cancellationToken);
        return await ReadReplyAsync(0, cancellationToken);
    }

    public void Dispose() => stream.Dispose();

    private async ValueTask<object?> ReadReplyAsync(int depth, CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(cancellationToken);
        var rest = line[1..];
        return line[0] switch
        {
            '+' => rest,
            '-' => throw new RedisErrorException(rest),
            ':' => Number(rest),
            '$' => Number(rest) is >= 0 and var length ? await ReadBulkAsync(length, cancellationToken) : null,
            '*' when depth < MaxDepth => Number(rest) is >= 0 and var count ? await ReadListAsync(count, depth + 1, cancellationToken) : null,
            _ => throw new IOException($"not a RESP answer: {line}"),
        };
    }

    private async ValueTask<List<object?>> ReadListAsync(long count, int depth, CancellationToken cancellationToken)
    {
        var items = new List<object?>();
        for (long i = 0; i < count; i++) items.Add(await ReadReplyAsync(depth, cancellationToken));
        return items;
    }

    private async ValueTask<string> ReadBulkAsync(long length, CancellationToken cancellationToken)
    {
        if (length > MaxAnswerBytes) throw new IOException($"an answer of {length} bytes");
        while (_end - _start < length + 2) await FillAsync(cancellationToken);
        var text = Encoding.UTF8.GetString(_buffer, _start, (int)length);
        _start += (int)length + 2;
        return text;
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        int found;
        while ((found = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0) await FillAsync(cancellationToken);
        if (found == 0) throw new IOException("an empty answer");
        var line = Encoding.UTF8.GetString(_buffer, _start, found);
        _start += found + 2;
        return line;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length > MaxAnswerBytes) throw new IOException("an answer that is too long");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        if (count == 0) throw new IOException("the server closed the connection");
        _end += count;
    }

    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new IOException($"not a number: {text}");
}
