using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Cli.Views;

/// <summary>A group at one glance. Null: unknown.</summary>
public sealed record GroupView
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required RedundancyMode Mode { get; init; }

    public required string Workload { get; init; }

    public required int RtoSeconds { get; init; }

    public required int RpoSeconds { get; init; }

    public required IReadOnlyList<SlotView> Slots { get; init; }

    public required IReadOnlyList<MemberView> Members { get; init; }

    public required int SparesWanted { get; init; }

    public required int? SparesReady { get; init; }

    /// <summary>Null: the operator has not said whether a failover would work.</summary>
    public required FailoverReadiness? FailoverReadiness { get; init; }

    /// <summary>Null: nothing is counted yet.</summary>
    public required GroupStatistics? Statistics { get; init; }

    /// <summary>Empty: everything is as wished.</summary>
    public required IReadOnlyList<Concern> Concerns { get; init; }

    /// <summary>The latest first.</summary>
    public required IReadOnlyList<FailoverView> Failovers { get; init; }

    /// <param name="group">As it was read.</param>
    /// <param name="failovers">Of any group.</param>
    /// <param name="limit">How many of the failovers are shown.</param>
    public static GroupView Of(RedundancyGroup group, IEnumerable<Failover> failovers, int limit)
    {
        var (spec, status, name) = (group.Spec, group.Status ?? new RedundancyGroupStatus(), group.Metadata.Name);
        return new GroupView
        {
            Namespace = group.Metadata.NamespaceProperty ?? "",
            Name = name,
            Mode = spec.Mode,
            Workload = $"{spec.WorkloadRef.Kind} {spec.WorkloadRef.Name}",
            RtoSeconds = spec.Targets.RtoSeconds,
            RpoSeconds = spec.Targets.RpoSeconds,
            Slots = [.. status.Slots.Select(s => new SlotView(s.Name, s.Holder, s.Term, Moments.Parse(s.Since)))],
            Members = [.. status.Members.Select(MemberView.Of)],
            SparesWanted = spec.Spares,
            SparesReady = status.SparesReady,
            FailoverReadiness = status.FailoverReadiness,
            Statistics = status.Statistics,
            Concerns = Views.Concerns.Of(group),
            Failovers = [.. FailoverView.LatestFirst(failovers, group.Metadata.NamespaceProperty ?? "", name).Take(limit)],
        };
    }
}

/// <summary>One unit of exclusive activity and its holder.</summary>
public sealed record SlotView(string Name, string? Holder, long? Term, DateTimeOffset? Since);

/// <summary>One pod of the group.</summary>
/// <param name="LagBytes">Of the active member always null: it lags behind nobody.</param>
public sealed record MemberView(string Name, MemberRole Role, MemberHealth Health, long? LagBytes, string? Node, string? Zone, string? Message)
{
    public static MemberView Of(MemberStatus member) =>
        new(member.Name, member.Role, member.Health, member.LagBytes, member.Node, member.Zone, member.Message);
}
