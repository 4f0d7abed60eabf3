namespace FailoverOperator.Agent.Supervision;

/// <summary>
/// Reads what the programs print, all of them on one thread: keeps the end of it, and passes the server's on to the container's
/// own output. Who reads that may be slow or stuck (a full disk of the node); the server must not be stopped by it, so
/// what cannot be written within a while is dropped.
/// </summary>
internal sealed class OutputPump : IDisposable
{
    private const int ChunkBytes = 4096;        // PIPE_BUF: a pipe that polls as writable takes so much at once.
    private const int PatienceMilliseconds = 500;

    private readonly (int Read, int Write) _wake = Native.OpenPipe();
    private readonly Lock _gate = new();
    private readonly List<Source> _added = [];
    private readonly byte[] _buffer = new byte[ChunkBytes];
    private readonly HashSet<int> _stuck = [];
    private volatile bool _isDisposed;

    public OutputPump()
    {
        Native.SetNonBlocking(_wake.Read);
        Native.SetNonBlocking(_wake.Write);
        _ = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Reads this end of a pipe until nobody can write to it any more, then closes it.</summary>
    /// <param name="passTo">Descriptor that gets it, too. Null: nobody.</param>
    /// <returns>Ends with the pipe.</returns>
    public Task Add(int descriptor, OutputTail tail, int? passTo)
    {
        var source = new Source(descriptor, tail, passTo);
        lock (_gate) _added.Add(source);
        Wake();
        return source.Ended.Task;
    }

    public void Dispose()
    {
        _isDisposed = true;
        Wake();
    }

    private void Wake() => Native.Write(_wake.Write, [0]);

    private void Run()
    {
        var sources = new List<Source>();
        while (!_isDisposed)
        {
            var descriptors = new Native.PollDescriptor[sources.Count + 1];
            descriptors[^1] = new() { Descriptor = _wake.Read, Events = Native.Readable };
            for (var i = 0; i < sources.Count; i++) descriptors[i] = new() { Descriptor = sources[i].Descriptor, Events = Native.Readable };
            Native.Poll(descriptors, -1);
            for (var i = sources.Count - 1; i >= 0; i--)
                if (descriptors[i].Returned != 0 && !Move(sources[i]))
                    sources.RemoveAt(i);
            while (Native.Read(_wake.Read, _buffer) > 0)
            {
            }
            lock (_gate)
            {
                sources.AddRange(_added);
                _added.Clear();
            }
        }
    }

    /// <summary>False: that was the end.</summary>
    private bool Move(Source source)
    {
        var count = Native.Read(source.Descriptor, _buffer);
        if (count > 0)
        {
            source.Tail.Append(_buffer.AsSpan(0, count));
            if (source.PassTo is { } sink) Pass(sink, _buffer.AsSpan(0, count));
            return true;
        }
        Native.Close(source.Descriptor);
        source.Ended.SetResult();
        return false;
    }

    private void Pass(int sink, ReadOnlySpan<byte> bytes)
    {
        var ready = Native.Poll([new() { Descriptor = sink, Events = Native.Writable }], _stuck.Contains(sink) ? 0 : PatienceMilliseconds) > 0;
        if (!ready) _stuck.Add(sink);
        else if (Native.Write(sink, bytes) > 0) _stuck.Remove(sink);
    }

    private sealed record Source(int Descriptor, OutputTail Tail, int? PassTo)
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
