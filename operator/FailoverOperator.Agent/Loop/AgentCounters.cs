namespace FailoverOperator.Agent.Loop;

/// <summary>What has happened since the agent started, for <c>/metrics</c>.</summary>
public sealed class AgentCounters
{
    private long _renewals, _failedRenewals, _rounds, _failedRounds, _demotions, _serverEnds;

    public long Renewals => Interlocked.Read(ref _renewals);

    public long FailedRenewals => Interlocked.Read(ref _failedRenewals);

    public long Rounds => Interlocked.Read(ref _rounds);

    public long FailedRounds => Interlocked.Read(ref _failedRounds);

    public long Demotions => Interlocked.Read(ref _demotions);

    public long ServerEnds => Interlocked.Read(ref _serverEnds);

    public void CountRenewal(bool succeeded) => Interlocked.Increment(ref succeeded ? ref _renewals : ref _failedRenewals);

    public void CountRound(bool succeeded) => Interlocked.Increment(ref succeeded ? ref _rounds : ref _failedRounds);

    public void CountDemotion() => Interlocked.Increment(ref _demotions);

    public void CountServerEnd() => Interlocked.Increment(ref _serverEnds);
}
