using System.Collections.Concurrent;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;

namespace FailoverOperator.Observing;

/// <summary>
/// Asks every member of one group for its status, each in a loop of its own, so that a silent one does not delay the
/// others. Calls back after every answer, and says whether it is news.
/// </summary>
public sealed class MemberProber(
    IEngine engine, OperatorClock clock, DetectionSpec detection, Action<string, ProbeLog, bool> onReply) : IAsyncDisposable
{
    /// <summary>A second question soon after a refused one: two refusals are decisive.</summary>
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan HurriedInterval = TimeSpan.FromMilliseconds(25);

    private readonly ConcurrentDictionary<string, MemberLoop> _loops = new();
    private readonly TimeSpan _usualInterval = TimeSpan.FromMilliseconds(detection.ProbeIntervalMilliseconds);
    private volatile bool _isHurried;

    public ProbeLog this[string podUid] => _loops.TryGetValue(podUid, out var loop) ? loop.Log : ProbeLog.Empty;

    /// <summary>Starts to ask new members and stops to ask those that are gone.</summary>
    public void Follow(IReadOnlyCollection<MemberEndpoint> members)
    {
        foreach (var member in members)
        {
            if (_loops.TryGetValue(member.PodUid, out var known) && known.Member == member) continue;
            Stop(member.PodUid);
            var loop = new MemberLoop(member);
            _loops[member.PodUid] = loop;
            loop.Running = RunAsync(loop);
        }
        foreach (var (uid, _) in _loops)
            if (members.All(m => m.PodUid != uid)) Stop(uid);
    }

    /// <summary>Asks at once, beside the loop.</summary>
    public Task AskAsync(string podUid, CancellationToken cancellationToken) =>
        _loops.TryGetValue(podUid, out var loop) ? AskAsync(loop, cancellationToken) : Task.CompletedTask;

    /// <summary>Lets the loop of a member ask now, as when its connection broke.</summary>
    public void Hurry(string podUid)
    {
        if (_loops.TryGetValue(podUid, out var loop)) loop.Hurry();
    }

    /// <summary>
    /// Whether everybody is asked much more often than the spec says: a failover that waits for its candidate sees it sooner.
    /// </summary>
    public bool IsHurried
    {
        get => _isHurried;
        set
        {
            if (_isHurried == value) return;
            _isHurried = value;
            if (value) foreach (var loop in _loops.Values) loop.Hurry();
        }
    }

    public async ValueTask DisposeAsync()
    {
        var running = _loops.Values.Select(loop => loop.Running).ToList();
        foreach (var uid in _loops.Keys) Stop(uid);
        await Task.WhenAll(running);
    }

    private void Stop(string podUid)
    {
        if (_loops.TryRemove(podUid, out var loop)) loop.Stop();
    }

    private async Task RunAsync(MemberLoop loop)
    {
        while (!loop.Stopping.IsCancellationRequested)
        {
            try
            {
                await AskAsync(loop, loop.Stopping);
                await loop.PauseAsync(PauseAfter(loop.Log), clock.TimeProvider);
            }
            catch (OperationCanceledException) when (loop.Stopping.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private TimeSpan PauseAfter(ProbeLog log) =>
        IsHurried && _usualInterval > HurriedInterval ? HurriedInterval
        : log is { Reply: EngineReply.Refused, RefusedInARow: 1 } ? AfterRefusal
        : _usualInterval;

    private async Task AskAsync(MemberLoop loop, CancellationToken cancellationToken)
    {
        var askedAt = clock.Now;
        var reply = await engine.StatusAsync(loop.Member, cancellationToken);
        var (before, after) = loop.Note(reply, askedAt);
        if (after != before) onReply(loop.Member.PodUid, after, after.IsNewsAfter(before));
    }

    private sealed class MemberLoop(MemberEndpoint member)
    {
        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _stop = new();
        private TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public MemberEndpoint Member => member;

        public ProbeLog Log { get; private set; } = ProbeLog.Empty;

        public Task Running { get; set; } = Task.CompletedTask;

        public CancellationToken Stopping => _stop.Token;

        public void Stop() => _stop.Cancel();

        public void Hurry() => _hurry.TrySetResult();

        public (ProbeLog Before, ProbeLog After) Note(EngineReply reply, TimeSpan askedAt)
        {
            lock (_gate)
            {
                var before = Log;
                Log = before.With(reply, askedAt);
                return (before, Log);
            }
        }

        /// <summary>Waits, but not longer than until somebody is in a hurry. Goes on where it waited, whoever ends the waiting.</summary>
        public async Task PauseAsync(TimeSpan pause, TimeProvider time)
        {
            using var timer = time.CreateTimer(_ => Hurry(), null, pause, Timeout.InfiniteTimeSpan);
            using var stopping = Stopping.UnsafeRegister(_ => Hurry(), null);
            await _hurry.Task;
            _hurry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Stopping.ThrowIfCancellationRequested();
        }
    }
}
