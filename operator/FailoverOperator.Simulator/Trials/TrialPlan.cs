using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Simulator.Trials;

/// <summary>What befalls whom.</summary>
public enum Blow
{
    /// <summary>The primary's server ends; its container goes on.</summary>
    ProcessCrash,

    /// <summary>The machines lose power, and do not come back.</summary>
    PowerCut,

    /// <summary>The machines go on, but reach nobody, and nobody reaches them.</summary>
    Partition,
}

/// <summary>Whom it befalls.</summary>
public enum Victims
{
    Primary,

    /// <summary>Every member in the zone of the primary, and that one itself.</summary>
    ZoneOfPrimary,

    /// <summary>Those that <see cref="TrialPlan.Members"/> names.</summary>
    Named,
}

/// <summary>One member before the blow.</summary>
/// <param name="Zone">Zone of its node.</param>
/// <param name="IsDown">It has been without power for long when the blow comes.</param>
/// <param name="IsVictim">For <see cref="Victims.Named"/>: the blow is for it.</param>
public sealed record TrialMember(string Zone, bool IsDown = false, bool IsVictim = false);

/// <summary>A group, and one blow to it.</summary>
public sealed record TrialPlan
{
    public required RedundancyGroupSpec Spec { get; init; }

    /// <summary>The first one is the primary; it is not down.</summary>
    public required IReadOnlyList<TrialMember> Members { get; init; }

    public required Blow Blow { get; init; }

    public required Victims Victims { get; init; }

    /// <summary>When nobody has taken a write for so long after the blow, it is taken for granted that nobody will while it lasts.</summary>
    public required TimeSpan Patience { get; init; }
}
