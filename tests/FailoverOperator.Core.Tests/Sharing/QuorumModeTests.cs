using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Sharing;
using static FailoverOperator.Core.Tests.Given;
using static FailoverOperator.Core.Tests.Sharing.GivenShared;

namespace FailoverOperator.Core.Tests.Sharing;

public sealed class QuorumModeTests
{
    [Fact]
    public void Traffic_is_led_to_whom_the_members_elected()
    {
        var verdict = SharedDecider.Decide(Led(6, Standby("db-0").Labelled(6), Leads("db-1", 7), Standby("db-2")));
        Assert.Equal(("db-1", 7L), (verdict.Leader!.Name, verdict.Term!.Value));
        Assert.Contains(new Step.PointService("db-rw", TrafficRole.Active, "db-1", 7), verdict.Steps);
        Assert.Contains(verdict.Steps.OfType<Step.Label>(), l => (l.Member.Name, l.Role, l.Term) == ("db-1", RoleLabels.Active, 7));
        Assert.DoesNotContain(verdict.Steps, step => step is Step.Follow or Step.Promote);

        var done = Led(7, "db-1", Standby("db-0"), Leads("db-1", 7).Labelled(7), Standby("db-2"));
        Assert.Empty(SharedDecider.Decide(done).Steps);
        Assert.Equal((ConditionStatus.True, Reasons.PrimaryServing, 1), Said(SharedDecider.Decide(done)));
    }

    [Fact]
    public void Of_two_that_lead_the_one_of_the_higher_term_does() =>
        Assert.Equal("db-2", SharedDecider.Decide(Led(5, Leads("db-0", 5).Labelled(5), Standby("db-1"), Leads("db-2", 6))).Leader!.Name);

    [Fact]
    public void Of_two_that_lead_in_the_same_term_neither_gets_traffic()
    {
        var verdict = SharedDecider.Decide(Led(5, Leads("db-0", 5).Labelled(5), Standby("db-1"), Leads("db-2", 5)));
        Assert.Equal((ConditionStatus.False, Reasons.SplitBrainSuspected), (verdict.Available.Status, verdict.Available.Reason));
        Assert.Empty(verdict.Serving);
        var label = Assert.IsType<Step.Label>(Assert.Single(verdict.Steps));
        Assert.Equal(("db-0", RoleLabels.Standby), (label.Member.Name, label.Role));
    }

    /// <summary>Invariant I6.</summary>
    [Fact]
    public void Traffic_never_goes_to_a_lower_term_than_one_that_was_published()
    {
        var verdict = SharedDecider.Decide(Led(8, Leads("db-0", 7), Standby("db-1"), Standby("db-2")));
        Assert.Empty(verdict.Steps);
        Assert.Equal((ConditionStatus.False, Reasons.StaleLeader), (verdict.Available.Status, verdict.Available.Reason));
    }

    [Fact]
    public void A_term_that_somebody_else_led_in_is_believed_of_nobody_else()
    {
        var verdict = SharedDecider.Decide(Led(7, Standby("db-0").Labelled(7), Leads("db-1", 7), Standby("db-2")));
        Assert.Empty(verdict.Steps);
        Assert.Equal(Reasons.SplitBrainSuspected, verdict.Available.Reason);
        Assert.Equal(["db-0"], verdict.ServingIn());
    }

    [Fact]
    public void A_leader_that_tells_no_term_is_not_followed_and_it_is_said()
    {
        var verdict = SharedDecider.Decide(Led(1, Leads("db-0", null), Standby("db-1"), Standby("db-2")));
        Assert.Empty(verdict.Steps);
        Assert.Equal(Reasons.NoLeader, verdict.Available.Reason);
        Assert.Contains("tells no term", verdict.Available.Message);
    }

    /// <summary>The silent one may be at work still: who else is known to lead?</summary>
    [Fact]
    public void While_nobody_leads_traffic_stays_where_it_is()
    {
        var verdict = SharedDecider.Decide(Led(5, Leads("db-0", 5).Labelled(5).Silent(60), Standby("db-1"), Standby("db-2")));
        Assert.Empty(verdict.Steps);
        Assert.Equal(["db-0"], verdict.ServingIn());
        Assert.Equal((ConditionStatus.False, Reasons.NoLeader, 0), Said(verdict));
    }

    public static TheoryData<string, string, ConditionStatus, string, int> Counts => new()
    {
        { "well", "well", ConditionStatus.True, Reasons.PrimaryServing, 1 },
        { "well", "down", ConditionStatus.True, Reasons.PrimaryServing, 0 },
        { "well", "unknown", ConditionStatus.True, Reasons.PrimaryServing, 0 },
        { "down", "down", ConditionStatus.False, Reasons.QuorumLost, 0 },
        { "down", "unknown", ConditionStatus.Unknown, Reasons.MembersUnknown, 0 },
        { "unknown", "unknown", ConditionStatus.Unknown, Reasons.MembersUnknown, 0 },
        { "down", "gone", ConditionStatus.False, Reasons.QuorumLost, 0 },
        { "down", "copying", ConditionStatus.False, Reasons.QuorumLost, 0 },
    };

    /// <summary>What is unknown counts neither as there nor as lost.</summary>
    [Theory]
    [MemberData(nameof(Counts))]
    public void A_majority_must_answer(string one, string other, ConditionStatus status, string reason, int toSpare)
    {
        var members = new[] { Leads("db-0", 5).Labelled(5), That(one, "db-1"), That(other, "db-2") }.OfType<Member>().ToArray();
        var seen = Led(5, members);
        var verdict = SharedDecider.Decide(seen with { Group = seen.Group with { WorkloadReplicas = 3 } });
        Assert.Equal((status, reason, toSpare), Said(verdict));
        if (status != ConditionStatus.True) Assert.Contains("1 of 3 members answer, 2 are a majority", verdict.Available.Message);
        if (one == "unknown") Assert.Contains("of 2 it is unknown", verdict.Available.Message);
    }

    [Theory]
    [InlineData(NodeState.Absent, false, 300, true)]
    [InlineData(NodeState.Absent, false, 299, false)]
    [InlineData(NodeState.NotReady, true, 300, true)]
    [InlineData(NodeState.NotReady, false, 9000, false)]
    [InlineData(NodeState.Unknown, false, 9000, false)]
    [InlineData(NodeState.Ready, true, 9000, false)]
    public void A_member_is_replaced_when_its_node_is_lost_for_good(NodeState state, bool outOfService, double seconds, bool isReplaced)
    {
        var verdict = SharedDecider.Decide(Whole(OnLostNode("db-2", state, outOfService, seconds)));
        Assert.Equal(isReplaced ? ["db-2"] : [], verdict.Steps.OfType<Step.TerminatePod>().Select(t => t.Member.Name));
        if (!isReplaced && seconds < 300) Assert.Equal(Seconds(1), verdict.LookAgainIn);
    }

    /// <summary>To delete a pod by mistake must not cost the majority.</summary>
    [Fact]
    public void No_member_is_replaced_when_that_could_touch_the_majority_or_nobody_wants_it()
    {
        var lost = OnLostNode("db-2", NodeState.Absent, false, 9000);
        Assert.NotEmpty(Replaced(Whole(lost)));
        Assert.Empty(Replaced(Whole(lost, Standby("db-1").Silent(1))));
        Assert.Empty(Replaced(Whole(lost, Standby("db-1").Terminating())));
        Assert.Empty(Replaced(Whole(lost.Terminating())));
        Assert.Empty(Replaced(Whole(Standby("db-2").OnNode(NodeState.Absent))));
        Assert.Empty(Replaced(Whole(lost with { Node = lost.Node with { Name = "" } })));
        var missing = Whole(lost);
        Assert.Empty(Replaced(missing with { Group = missing.Group with { WorkloadReplicas = 4 } }));
        Assert.Empty(Replaced(missing with { Group = missing.Group.With(s => s with { Quorum = new QuorumSpec { ReplaceLostAfterSeconds = 0 } }) }));
        Assert.Empty(Replaced(missing with { Group = missing.Group with { SuspendedUntil = new Schedule.AtOnce() } }));
    }

    private static readonly Gen<SharedObservation> AnyGroup = Gen.Select(
        Gen.Select(Gen.Int[0, 5], Gen.Long[1, 4], Gen.Int[0, 2], Gen.Long[1, 4]).Array[1, 5], Gen.Long[0, 4], (all, published) =>
        {
            var labelled = false;
            var members = all.Select((m, n) =>
            {
                var member = m.Item1 switch
                {
                    0 => Leads($"db-{n}", m.Item2),
                    1 => Leads($"db-{n}", null),
                    2 => Standby($"db-{n}").Silent(60),
                    3 => Standby($"db-{n}").Terminating(),
                    _ => Standby($"db-{n}"),
                };
                if (m.Item3 != 0 || labelled) return member with { RoleLabel = m.Item3 == 1 ? RoleLabels.Standby : null };
                labelled = true;
                return member.Labelled(m.Item4);
            }).ToArray();
            return Led(published, members);
        });

    /// <summary>Whatever is seen, and doing it as often as there is something to do: one active member at most, and terms never fall.</summary>
    [Fact]
    public void At_most_one_is_active_and_terms_never_fall() => AnyGroup.Sample(seen =>
    {
        var floor = Highest(seen.Group);
        for (var turn = 0; turn < 5; turn++)
        {
            var verdict = SharedDecider.Decide(seen);
            Assert.True(verdict.Serving.Count() <= 1, "one serves");
            Assert.All(verdict.Steps.OfType<Step.PointService>(), s => Assert.True(s.Term >= floor, $"term {s.Term} after {floor}"));
            if (verdict.Term is { } term)
                Assert.All(seen.Group.Members.Where(m => m.Probe.Status is { Role: EngineRole.Primary } && !m.Pod.Terminating), m => Assert.True((m.Probe.Status!.Term ?? 0) <= term));
            if (verdict.Steps.Count == 0) return;
            seen = seen with { Group = Done(seen.Group, verdict.Steps) };
            Assert.True(seen.Group.Members.Count(m => m.RoleLabel == RoleLabels.Active) <= 2, "the old and the new one at most, while Services name the pod");
            floor = Math.Max(floor, Highest(seen.Group));
        }
        Assert.Fail("it does not come to rest");
    });

    private static GroupObservation Done(GroupObservation group, IReadOnlyList<Step> steps) => group with
    {
        Members = [.. group.Members.Select(m => steps.OfType<Step.Label>().FirstOrDefault(l => l.Member.Uid == m.Uid) is { } label ? m with { RoleLabel = label.Role, TermLabel = label.Term } : m)],
        Services = [.. group.Services.Select(s => steps.OfType<Step.PointService>().FirstOrDefault(p => p.Name == s.Name) is { } point
            ? s with { SelectedRole = RoleLabels.Active, SelectedPod = point.Pod, PublishedTerm = point.Term } : s)],
    };

    private static long Highest(GroupObservation group) => SlotHolder.Of(group).NextTerm - 1;

    private static Member? That(string how, string name) => how switch
    {
        "well" => Standby(name),
        "down" => Standby(name).Refused(2),
        "unknown" => Standby(name).CannotBeAsked(),
        "gone" => null,
        "copying" => Standby(name).Says(s => s with { Link = ReplicationLink.Syncing }),
        _ => throw new ArgumentOutOfRangeException(nameof(how), how, "not known"),
    };

    private static Member OnLostNode(string name, NodeState state, bool outOfService, double seconds)
    {
        var member = Standby(name).Silent(seconds).OnNode(state, outOfService);
        return member with { Node = member.Node with { NotReadyFor = Seconds(seconds) } };
    }

    private static SharedObservation Whole(Member third, Member? second = null) => Led(5, "db-0", Leads("db-0", 5).Labelled(5), second ?? Standby("db-1"), third);

    private static IEnumerable<Step> Replaced(SharedObservation seen) => SharedDecider.Decide(seen).Steps.Where(s => s is Step.TerminatePod);

    private static SharedObservation Led(long published, params Member[] members) => Led(published, members.FirstOrDefault(m => m.RoleLabel == RoleLabels.Active)?.Name, members);

    private static SharedObservation Led(long published, string? pod, params Member[] members)
    {
        var seen = Shared(GivenShared.Quorum, members);
        return seen with { Group = seen.Group with { Services = [Service("db-rw") with { PublishedTerm = published == 0 ? null : published, SelectedPod = pod }] } };
    }

    private static (ConditionStatus, string, int) Said(SharedVerdict verdict) => (verdict.Available.Status, verdict.Available.Reason, verdict.ToSpare);
}
