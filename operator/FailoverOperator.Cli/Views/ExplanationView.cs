using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Cli.Views;

/// <summary>What a group is at.</summary>
public enum GroupState
{
    /// <summary>The operator has said nothing.</summary>
    NotReported,

    /// <summary>The operator cannot take the group on as it is, or not wholly.</summary>
    NotAccepted,

    /// <summary>The right member is active, and nothing is to be done.</summary>
    Steady,

    /// <summary>The operator waits for something, or puts something right.</summary>
    Working,

    /// <summary>The primary is being changed.</summary>
    FailoverRunning,

    /// <summary>The operator cannot go on, and says why.</summary>
    Blocked,
}

/// <summary>Why a group is as it is, and what would happen if its primary failed now.</summary>
public sealed record ExplanationView
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required GroupState State { get; init; }

    public required string Summary { get; init; }

    public required IReadOnlyList<Cause> Causes { get; init; }

    /// <summary>The one that runs. Null: none.</summary>
    public required FailoverView? Running { get; init; }

    /// <summary>What people asked for and has not ended.</summary>
    public required IReadOnlyList<FailoverView> Requests { get; init; }

    /// <summary>How each kind of failure of the primary would be met.</summary>
    public required IReadOnlyList<Expectation> Expectations { get; init; }

    /// <summary>Whether a failover would work now. Null: unknown.</summary>
    public required bool? WouldWork { get; init; }

    /// <summary>Why the operator would not begin a failover by itself. Null: it would.</summary>
    public required string? HeldBack { get; init; }

    /// <summary>Who would take over, or why nobody would.</summary>
    public required string Then { get; init; }

    public static ExplanationView Of(RedundancyGroup group, IEnumerable<Failover> failovers)
    {
        var namespaceName = group.Metadata.NamespaceProperty ?? "";
        var open = FailoverView.LatestFirst(failovers, namespaceName, group.Metadata.Name).Where(f => !f.IsEnded).ToList();
        var running = open.Find(f => f.Request is null);
        var (state, summary) = Judge(group, running);
        var readiness = group.Status?.FailoverReadiness;
        return new ExplanationView
        {
            Namespace = namespaceName,
            Name = group.Metadata.Name,
            State = state,
            Summary = summary,
            Causes = [.. Concerns.Of(group).Select(c => new Cause(c, Advice.For(c.Reason, group.Metadata.Name)))],
            Running = running,
            Requests = [.. open.Where(f => f.Request is not null)],
            Expectations = Expectation.Of(group.Spec),
            WouldWork = readiness?.Ready,
            HeldBack = group.Status?.Conditions.FirstOrDefault(c => c is { Type: ConditionTypes.Suppressed, Status: ConditionStatus.True })?.Message,
            Then = readiness switch
            {
                null => "who would take over is unknown",
                { Ready: true } => readiness.Message,
                _ => $"nobody could take over, {readiness.Reason}: {readiness.Message}",
            },
        };
    }

    private static (GroupState State, string Summary) Judge(RedundancyGroup group, FailoverView? running)
    {
        if (Find(ConditionTypes.Progressing) is not { } progressing) return (GroupState.NotReported,
            "the operator has said nothing about this group yet");
        if (Find(ConditionTypes.Accepted) is { Status: ConditionStatus.False } refused) return (GroupState.NotAccepted, refused.Message);
        var isStuck = progressing is { Status: ConditionStatus.False, Reason: not Reasons.Steady };
        if (running is not null)
        {
            var (state, what) = isStuck ? (GroupState.Blocked, "is blocked") : (GroupState.FailoverRunning, "runs");
            var why = isStuck ? progressing.Message : running.Message;
            return (state, $"{running.Type} {running.Name} {what} at phase {running.Phase}{(string.IsNullOrEmpty(why) ? "" : $": {why}")}");
        }
        if (isStuck) return (GroupState.Blocked, progressing.Message);
        if (progressing.Status != ConditionStatus.False) return (GroupState.Working, progressing.Message);
        return (GroupState.Steady, group.Status?.Slots.Select(s => s.Holder).OfType<string>().ToList() switch
        {
            [var holder] => $"{holder} is active, and nothing is to be done",
            [_, ..] holders => $"{string.Join(", ", holders)} are active, and nothing is to be done",
            _ => progressing.Message,
        });

        Condition? Find(string type) => group.Status?.Conditions.FirstOrDefault(c => c.Type == type);
    }
}

/// <summary>What is not as wished, and what a person can do about it. Null: what is to be done is in the message, or nothing is.</summary>
public sealed record Cause(Concern Concern, string? Advice);
