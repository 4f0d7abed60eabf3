using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Tests.Sharing;

/// <summary>Groups in which nobody is promoted, in the manner of <see cref="Given"/>.</summary>
internal static class GivenShared
{
    public static RedundancyGroupSpec ActiveActive { get; } = Given.Spec with
    {
        Mode = RedundancyMode.ActiveActive,
        MinActive = 2,
        Spares = 1,
        Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec() },
    };

    public static RedundancyGroupSpec Quorum { get; } = Given.Spec with
    {
        Mode = RedundancyMode.Quorum,
        Spares = 1,
        Engine = new EngineSpec { Type = EngineType.Hooks, Hooks = new HooksEngineSpec() },
    };

    /// <summary>Says that it was elected in this term. Its labels are another matter.</summary>
    public static Member Leads(string name, long? term) => Given.Primary(name).Says(s => s with { Term = term }) with { RoleLabel = RoleLabels.Standby, TermLabel = null };

    public static Member Labelled(this Member member, long term) => member with { RoleLabel = RoleLabels.Active, TermLabel = term };

    /// <summary>A healthy member that takes traffic.</summary>
    public static Member Server(string name) => Given.Primary(name) with { RoleLabel = RoleLabels.Active, TermLabel = null };

    public static Member OutOfTraffic(this Member member) => member with { RoleLabel = RoleLabels.Standby };

    public static Member Unlabelled(this Member member) => member with { RoleLabel = null };

    public static Member TakesNoWrites(this Member member) => member.Says(s => s with { Writable = false });

    public static Member Fails(this Member member) =>
        member with { Probe = new ProbeObservation { Reply = new EngineReply.Failed("status 503"), Age = Given.Seconds(0.1), UnansweredFor = Given.Seconds(0.1) } };

    /// <summary>The operator could not even ask.</summary>
    public static Member CannotBeAsked(this Member member) =>
        member with { Probe = new ProbeObservation { Reply = new EngineReply.Silent("exec: 500") { WasAsked = false }, Age = Given.Seconds(0.1), UnansweredFor = Given.Seconds(60) } };

    public static SharedObservation Shared(params Member[] members) => Shared(ActiveActive, members);

    public static SharedObservation Shared(RedundancyGroupSpec spec, params Member[] members) => new()
    {
        Group = Given.NewGroup(members) with
        {
            Spec = spec,
            Services = [new ServiceObservation { Name = "db-rw", Role = TrafficRole.Active, SelectedRole = RoleLabels.Active }],
        },
    };

    public static SharedObservation FitFor(this SharedObservation seen, string name, double seconds) =>
        seen with { FitFor = new Dictionary<string, TimeSpan>(seen.FitFor) { [Given.Uid(name)] = Given.Seconds(seconds) } };

    public static SharedObservation AdmittedAgo(this SharedObservation seen, double seconds) => seen with { AdmittedAgo = Given.Seconds(seconds) };

    public static IReadOnlyList<string> ServingIn(this SharedVerdict verdict) => [.. verdict.Serving.Select(m => m.Name)];
}
