using System.Globalization;
using System.Threading.Channels;

namespace FailoverOperator.Agent.Hosting;

/// <summary>
/// Lines for people, on the container's standard error. Whoever writes one never waits: lines are dropped while nobody reads.
/// </summary>
internal sealed class AgentLog(TimeProvider time, TextWriter output)
{
    private const int MaxWaiting = 256;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void Write(string line) =>
        _lines.Writer.TryWrite(string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} failover-agent: {line}"));

    /// <summary>Ends after <see cref="Complete"/>, when everything has been written.</summary>
    public async Task RunAsync()
    {
        await Task.Yield();
        await foreach (var line in _lines.Reader.ReadAllAsync()) await output.WriteLineAsync(line);
    }

    public void Complete() => _lines.Writer.TryComplete();
}
