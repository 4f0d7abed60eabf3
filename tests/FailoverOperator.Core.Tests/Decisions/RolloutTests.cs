using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>An update goes through the standbys one by one, then a switchover, then the old primary.</summary>
public sealed class RolloutTests
{
    private const string New = "rev-2";

    private static Decision Decide(GroupObservation group) => Decider.Decide(group).Decision;

    /// <summary>db-0 is the primary; those that are named are of the new revision already.</summary>
    private static GroupObservation Group(params string[] updated) => Group(byDeletion: true, updated);

    private static GroupObservation Group(bool byDeletion, params string[] updated)
    {
        var group = GivenAgents.Healthy() with { Rollout = new RolloutObservation(New, byDeletion) };
        return group with { Members = [.. group.Members.Select(m => m.OfRevision(updated.Contains(m.Name) ? New : "rev-1"))] };
    }

    private static string? Restarted(GroupObservation group) =>
        Decide(group) is Decision.Advance { Steps: [Step.RestartMember restart] } ? restart.Member.Name : null;

    [Fact]
    public void Standbys_first_and_the_primary_last_through_a_switchover()
    {
        Assert.Equal("db-2", Restarted(Group()));
        Assert.Equal("db-1", Restarted(Group("db-2")));
        var plan = Assert.IsType<Decision.Begin>(Decide(Group("db-1", "db-2"))).Plan;
        Assert.Equal((FailoverType.Switchover, FailoverCause.RollingUpdate, "db-0", "db-1"), (plan.Type, plan.Cause, plan.From?.Name, plan.Target));
        Assert.Equal(["db-0 is the last pod that is not of revision rev-2"], plan.Evidence);
        Assert.IsType<Decision.Steady>(Decide(Group("db-0", "db-1", "db-2")));
    }

    [Fact]
    public void Nor_does_it_take_agents()
    {
        static GroupObservation Agentless(params string[] updated) => Given.Healthy() is var g
            ? g with { Rollout = new RolloutObservation(New, true), Members = [.. g.Members.Select(m => m.OfRevision(updated.Contains(m.Name) ? New : "rev-1"))] } : null!;
        Assert.Equal("db-2", Restarted(Agentless()));
        Assert.Equal("db-1", Assert.IsType<Decision.Begin>(Decide(Agentless("db-1", "db-2"))).Plan.Target);
    }

    public static TheoryData<string, GroupObservation> Waiting => new()
    {
        { "db-2 is being deleted", Group().Change("db-2", m => m.Terminating()) },
        { "1 pod(s) are not created yet", (Group().Without("db-2") is var g ? g.Leased(_ => GivenAgents.Lease(g)) : null!) with { WorkloadReplicas = 3 } },
        { "db-2 could not take over yet", Group("db-2").Change("db-2", m => m.NotReady(5)) },
        { "db-2 could not take over yet", Group("db-2").Change("db-2", m => m.Says(s => s with { Link = ReplicationLink.Syncing })) },
        { "db-2 could not take over yet", Group("db-2").Change("db-2", m => m.Says(s => s with { Link = ReplicationLink.Down })) },
        { "db-2 could not take over yet", Group("db-2").Change("db-2", m => m.NotReady(600)) },
        { "db-1 could not take over yet", Group().Change("db-1", m => m.NotReady(59)) },
        { "the group is suspended", Group() with { SuspendedUntil = new Schedule.AtOnce() } },
        { "node node-1 of db-1 is cordoned", Group("db-2").Change("db-1", m => m.Cordoned()) },
        { "promotion.policy is Manual", Group("db-1", "db-2").With(s => s with { Promotion = s.Promotion with { Policy = PromotionPolicy.Manual } }) },
    };

    [Theory]
    [MemberData(nameof(Waiting))]
    public void What_is_in_the_way_is_waited_for_and_told(string message, GroupObservation group) =>
        Assert.Contains(message, Assert.IsType<Decision.Wait>(Decide(group)).Message);

    public static TheoryData<string, GroupObservation> NotOurs => new()
    {
        { "Kubernetes restarts them", Group(byDeletion: false) },
        { "onUpdate is Ignore", Group().With(s => s with { Disruption = s.Disruption with { OnUpdate = DisruptionAnswer.Ignore } }) },
        { "nobody can stop the writes", Given.Healthy().CannotStop() is var g ? g with { Rollout = new RolloutObservation(New, true), Members = [.. g.Members.Select(m => m.OfRevision("rev-1"))] } : null! },
        { "nothing is known of the update", Group() with { Rollout = null } },
        { "no pod tells its revision", GivenAgents.Healthy() with { Rollout = new RolloutObservation(New, true) } },
    };

    [Theory]
    [MemberData(nameof(NotOurs))]
    public void Nothing_is_done(string why, GroupObservation group)
    {
        Assert.NotEmpty(why);
        Assert.IsType<Decision.Steady>(Decide(group));
    }

    [Fact]
    public void A_pod_that_has_been_broken_for_long_is_replaced_first()
    {
        Assert.Equal("db-1", Restarted(Group().Change("db-1", m => m.NotReady(60))));
        Assert.Equal("db-2", Restarted(Group().Change("db-2", m => m.NotReady(60))));
    }

    [Fact]
    public void A_drain_goes_first() =>
        Assert.Equal(FailoverCause.NodeDrain, Assert.IsType<Decision.Begin>(Decide(Group().Change("db-0", m => m.ToBeEvicted(1).Cordoned()))).Plan.Cause);

    [Fact]
    public void An_update_by_Kubernetes_itself_is_told()
    {
        var group = Group(byDeletion: false);
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group));
        Assert.Contains("with updateStrategy OnDelete the operator restarts the primary last", report.Conditions.Single(c => c.Type == ConditionTypes.Progressing).Message);
        Assert.Null(Rollout.Unguided(Group(byDeletion: false, "db-0", "db-1", "db-2")));
    }

    private static readonly Func<Member, Member>[] Mishaps =
    [
        m => m, m => m, m => m, m => m.NotReady(5), m => m.NotReady(600), m => m.Terminating(), m => m.Silent(2), m => m.Cordoned(), m => m.ToBeEvicted(1),
        m => m.Probe.Status is { Role: EngineRole.Standby } ? m.Says(s => s with { Link = ReplicationLink.Syncing }) : m,
        m => m.Probe.Status is { Role: EngineRole.Standby } ? m.Says(s => s with { PositionBytes = 10 }) : m,
    ];

    /// <summary>Whatever state the members are in: one at a time, never the primary, never the last one that could take over while others are out.</summary>
    [Fact]
    public void Nobody_is_restarted_whom_the_group_cannot_do_without() =>
        Gen.Select(Gen.Int[2, 5], Gen.Int[0, 10].Array[5], Gen.Bool.Array[5], Gen.Int[0, 1]).Sample((count, mishaps, updated, missing) =>
        {
            var members = Enumerable.Range(0, count).Select(i => (i == 0 ? GivenAgents.Primary() : GivenAgents.Standby($"db-{i}")).OfRevision(updated[i] ? New : "rev-1")).ToArray();
            var group = GivenAgents.Group(members) with { WorkloadReplicas = count + missing, Rollout = new RolloutObservation(New, true) };
            group = group with { Members = [.. group.Members.Select((m, i) => Mishaps[mishaps[i]](m))] };
            var steps = Decide(group) is Decision.Advance(var all) ? all.OfType<Step.RestartMember>().ToList() : [];
            if (steps.Count == 0) return;
            var restarted = group.Members.Single(m => m.Uid == Assert.Single(steps).Member.Uid);
            var fit = RequestCheck.Ready(group);
            Assert.NotEqual("db-0", restarted.Name);
            Assert.NotEqual(New, restarted.Revision);
            Assert.DoesNotContain(group.Members, m => m.Pod.Terminating);
            Assert.Equal(0, missing);
            Assert.Null(Disruption.Of(group, group.Members[0]));
            // One that is fit goes only when all others are; one that is not costs nothing.
            if (fit.Contains(restarted)) Assert.Equal(count - 1, fit.Count);
            else Assert.True(restarted.Pod.NotReadyFor >= Rollout.GivenUpAfter);
        }, iter: 2000, threads: 1);
}
