using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Loop;

/// <summary>What the server said last, and since when it is known.</summary>
/// <param name="AskedAt">When it was asked, on the monotonic clock: its state then or later.</param>
/// <param name="Run">Its process as the question began. Null: there was none.</param>
public sealed record ServerNews(EngineReply Reply, TimeSpan AskedAt, IServerRun? Run);

/// <summary>
/// Asks the server how it is, for everybody who wants to know: one question at a time, each with a deadline. A server that
/// hangs makes nobody wait for it.
/// </summary>
public sealed class StatusSource(IMemberServer server, ISupervisor supervisor, TimeProvider time)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private ServerNews? _last;
    private Task<ServerNews>? _asking;
    private Task? _abandoned;

    /// <summary>Null: it has never been asked, or has not answered yet.</summary>
    public ServerNews? Last => Volatile.Read(ref _last);

    /// <summary>What is known, not older than <paramref name="maxAge"/>, if that can be had within <paramref name="patience"/>; else what there is.</summary>
    public async Task<ServerNews?> GetAsync(TimeSpan maxAge, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (Last is { } last && Now - last.AskedAt <= maxAge && IsOfNow(last)) return last;
        try
        {
            var news = await AskAsync().WaitAsync(patience, time, cancellationToken);
            // The answer to a question that was under way already may be a dead process's.
            return IsOfNow(news) ? news : await AskAsync().WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return Last;
        }
    }

    /// <summary>Asks now, or waits for the answer to a question that is under way.</summary>
    public Task<ServerNews> AskAsync()
    {
        lock (_gate)
        {
            if (_asking is not { IsCompleted: false }) _asking = AskServerAsync();
            return _asking;
        }
    }

    private TimeSpan Now => time.GetElapsedTime(0);

    private IServerRun? Running => supervisor.Server is { Exited.IsCompleted: false } run ? run : null;

    /// <summary>The process has neither ended nor been started since.</summary>
    private bool IsOfNow(ServerNews news) => ReferenceEquals(news.Run, Running);

    private async Task<ServerNews> AskServerAsync()
    {
        await Task.Yield();
        var (askedAt, run) = (Now, Running);
        var news = new ServerNews(await ReplyAsync(), askedAt, run);
        Volatile.Write(ref _last, news);
        return news;
    }

    private async Task<EngineReply> ReplyAsync()
    {
        using var timer = new CancellationTokenSource(Timeout, time);
        // A question that outlasts its deadline must not become a pile of them.
        if (_abandoned is { IsCompleted: false }) return new EngineReply.Silent("the server has not answered yet what it was asked before");
        try
        {
            var asking = server.StatusAsync(timer.Token);
            _abandoned = asking;
            return await asking.WaitAsync(timer.Token);
        }
        catch (OperationCanceledException)
        {
            return new EngineReply.Silent(FormattableString.Invariant($"the server did not answer within {Timeout.TotalSeconds:0} s"));
        }
    }
}
