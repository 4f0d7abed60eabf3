using System.Globalization;
using System.Runtime.CompilerServices;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>An API server with one lease, which can be away, slow or both.</summary>
internal sealed class FakeLeaseApi(TimeProvider time) : ILeaseApi
{
    private readonly List<Watch> watches = [];
    private int version;

    public LeaseRecord? Lease { get; private set; }

    /// <summary>No call reaches it, and no change leaves it.</summary>
    public bool IsDown { get; set; }

    /// <summary>Time to each answer; what is written is written after half of it.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>The answers get lost, what was asked for is done.</summary>
    public bool LosesAnswers { get; set; }

    public List<(TimeSpan At, LeaseTerms Accepted)> Renewals { get; } = [];

    public List<(TimeSpan At, ReleaseNote Note)> Releases { get; } = [];

    public int Conflicts { get; private set; }

    public int Reads { get; private set; }

    /// <summary>What anybody else does to the lease. Null: deletes it.</summary>
    public void Write(LeaseRecord? lease)
    {
        Lease = lease is null ? null : lease with { Version = (++version).ToString(CultureInfo.InvariantCulture) };
        if (!IsDown) foreach (var watch in watches) watch.Tell(Lease);
    }

    public void BreakWatches()
    {
        foreach (var watch in watches) watch.End();
        watches.Clear();
    }

    /// <summary>Writes without telling those who watch.</summary>
    public void WriteUnseen(LeaseRecord lease) => Lease = lease with { Version = (++version).ToString(CultureInfo.InvariantCulture) };

    public Task<LeaseReply> ReadAsync(CancellationToken cancellationToken) => CallAsync(() =>
    {
        Reads++;
        return Lease is null ? new LeaseReply.Absent() : new LeaseReply.Found(Lease);
    }, cancellationToken);

    public Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken) => CallAsync(() => Update(read, lease =>
    {
        Renewals.Add((time.GetElapsedTime(0), accepted));
        return lease.Renewed(accepted);
    }), cancellationToken);

    public Task<LeaseReply> ReleaseAsync(LeaseRecord read, ReleaseNote note, CancellationToken cancellationToken) => CallAsync(() => Update(read, lease =>
    {
        Releases.Add((time.GetElapsedTime(0), note));
        return lease.Released(note);
    }), cancellationToken);

    public async IAsyncEnumerable<LeaseRecord?> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (IsDown) yield break;
        var watch = new Watch();
        watches.Add(watch);
        watch.Tell(Lease);
        while (true)
        {
            while (watch.Told.TryDequeue(out var lease)) yield return lease;
            if (watch.HasEnded) yield break;
            await watch.More.Task.WaitAsync(cancellationToken);
        }
    }

    private LeaseReply Update(LeaseRecord read, Func<LeaseRecord, LeaseRecord> change)
    {
        if (Lease is null) return new LeaseReply.Absent();
        if (Lease.Version != read.Version)
        {
            Conflicts++;
            return new LeaseReply.Conflict();
        }
        Write(change(Lease));
        return new LeaseReply.Found(Lease);
    }

    private async Task<LeaseReply> CallAsync(Func<LeaseReply> carryOut, CancellationToken cancellationToken)
    {
        if (IsDown) return new LeaseReply.Failed("connection refused");
        if (Latency == TimeSpan.Zero && !LosesAnswers) return carryOut();
        // Once it is on its way, giving up does not call it back.
        await Task.Delay(Latency / 2, time, CancellationToken.None);
        var reply = carryOut();
        await Task.Delay(LosesAnswers ? TimeSpan.FromDays(1) : Latency / 2, time, cancellationToken);
        return reply;
    }

    /// <summary>No channel: those leave the test's thread.</summary>
    private sealed class Watch
    {
        public Queue<LeaseRecord?> Told { get; } = [];

        public TaskCompletionSource More { get; private set; } = new();

        public bool HasEnded { get; private set; }

        public void End()
        {
            HasEnded = true;
            Fire();
        }

        public void Tell(LeaseRecord? lease)
        {
            Told.Enqueue(lease);
            Fire();
        }

        private void Fire()
        {
            var before = More;
            More = new TaskCompletionSource();
            before.SetResult();
        }
    }
}
