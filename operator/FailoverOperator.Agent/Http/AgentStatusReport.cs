using FailoverOperator.Agent.Loop;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Http;

/// <summary>Puts what the agent knows into the words of its contract. Ages are counted here, on one clock.</summary>
internal static class AgentStatusReport
{
    public static AgentStatus Of(AgentState state, ServerNews? news, IServerRun? run)
    {
        var (memory, now) = (state.Memory, state.Now);
        return new AgentStatus
        {
            Identity = memory.Identity,
            Term = memory.HighestTerm,
            Server = news?.Reply is EngineReply.Answered answered ? Of(answered.Status) : null,
            AgeMilliseconds = news is null ? 0 : Milliseconds(now - news.AskedAt),
            ProcessRuns = run is { Exited.IsCompleted: false },
            RenewedAgoMilliseconds = memory.Tenure is { } tenure ? Milliseconds(now - tenure.ConfirmedAt) : null,
            ServedAgoMilliseconds = memory is { Tenure: null, ServedUntil: { } served } ? Milliseconds(now - served) : null,
            Acknowledged = memory.Pledge is { Holder: { } holder } pledge ? new Acknowledged(holder, pledge.Term, Milliseconds(now - pledge.GivenAt)) : null,
            Message = Message(state, news, now),
        };
    }

    private static ServerStatus Of(EngineStatus status) => new()
    {
        Role = status.Role.ToString(),
        Writable = status.Writable,
        Instance = status.Instance,
        PositionBytes = status.PositionBytes,
        History = status.History,
        PreviousHistory = status.PreviousHistory,
        Link = status.Link.ToString(),
        LinkDownMilliseconds = status.LinkDownFor is { } down ? Milliseconds(down) : null,
        FollowsAddress = status.FollowsAddress,
        IsEmpty = status.IsEmpty,
        LagMilliseconds = status.AppliedLag is { } lag ? Milliseconds(lag) : null,
        Message = status.Message,
    };

    /// <summary>What is the matter, most telling first. Null: nothing.</summary>
    private static string? Message(AgentState state, ServerNews? news, TimeSpan now)
    {
        var server = news?.Reply is EngineReply.Answered ? null : EngineReply.Describe(news?.Reply);
        var order = AgentProtocol.Decide(state.Memory, now) is AgentOrder.StandBy standBy ? standBy.Why : null;
        var parts = new[] { server, state.ServerNews, state.RenewalProblem ?? state.WatchProblem, state.FailsafeProblem, order }.Where(p => !string.IsNullOrEmpty(p)).Distinct().ToList();
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private static long Milliseconds(TimeSpan time) => (long)Math.Ceiling(time.TotalMilliseconds);
}
