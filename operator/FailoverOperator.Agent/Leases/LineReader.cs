namespace FailoverOperator.Agent.Leases;

/// <summary>Lines of a stream that never ends by itself, each bounded.</summary>
internal sealed class LineReader((HttpResponseMessage Response, Stream Stream)? source, int maxBytes) : IDisposable
{
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>The next line, valid until the next call. Null: there is none, or one that is too long.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (source is not var (_, stream)) return null;
        for (var searched = _start; ;)
        {
            var found = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                var line = _buffer.AsMemory(_start, searched + found - _start);
                _start = searched + found + 1;
                return line;
            }
            var length = _end - _start;
            MakeRoom();
            searched = _start + length;
            if (_end == _buffer.Length) return null;
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (count == 0) return null;
            _end += count;
        }
    }

    public void Dispose() => source?.Response.Dispose();

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length && _buffer.Length < maxBytes) Array.Resize(ref _buffer, _buffer.Length * 2);
    }
}
