using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Sharing;
using static FailoverOperator.Core.Tests.Given;
using static FailoverOperator.Core.Tests.Sharing.GivenShared;

namespace FailoverOperator.Core.Tests.Sharing;

public sealed class ActiveActiveTests
{
    public static TheoryData<string, bool> OfOneMember => new()
    {
        { "is well", true },
        { "refused once", true },
        { "refused twice", false },
        { "silent", false },
        { "fails", false },
        { "takes no writes", false },
        { "not ready", false },
        { "being deleted", false },
        { "evicted", false },
        { "node down and silent", false },
        { "node down and answers", true },
        { "node unobserved", true },
        { "rejects the password", true },
        { "cannot be asked", true },
        { "not asked yet", true },
    };

    /// <summary>Of three members that take traffic; what is not known for sure takes nobody out.</summary>
    [Theory]
    [MemberData(nameof(OfOneMember))]
    public void Who_fails_is_taken_out_at_once(string how, bool stays)
    {
        var verdict = SharedDecider.Decide(Shared(Server("db-0"), That(how, Server("db-1")), Server("db-2")));
        Assert.Equal(stays ? ["db-0", "db-1", "db-2"] : ["db-0", "db-2"], verdict.ServingIn());
        Assert.Equal(stays ? [] : ["db-1 standby"], Labels(verdict));
    }

    /// <summary>As by load balancers: what all say at once may be the operator's own deafness.</summary>
    [Theory]
    [InlineData("silent")]
    [InlineData("refused twice")]
    [InlineData("fails")]
    [InlineData("takes no writes")]
    [InlineData("node down and silent")]
    public void When_probes_accuse_all_nobody_is_taken_out_and_those_who_were_come_back(string how)
    {
        var verdict = SharedDecider.Decide(Shared(That(how, Server("db-0")), That(how, Server("db-1").OutOfTraffic()), That(how, Server("db-2"))));
        Assert.Equal(["db-0", "db-1", "db-2"], verdict.ServingIn());
        Assert.Equal((ConditionStatus.Unknown, Reasons.MembersUnknown), (verdict.Available.Status, verdict.Available.Reason));
        Assert.Equal(0, verdict.ToSpare);
    }

    [Fact]
    public void When_kubelets_call_nobody_ready_the_labels_stay_and_the_group_is_not_available()
    {
        var verdict = SharedDecider.Decide(Shared(Server("db-0").NotReady(9), Server("db-1").OutOfTraffic().NotReady(9), Server("db-2").Terminating()));
        Assert.Equal(["db-0"], verdict.ServingIn());
        Assert.Equal(["db-2 standby"], Labels(verdict));
        Assert.Equal((ConditionStatus.False, Reasons.TooFewActive), (verdict.Available.Status, verdict.Available.Reason));
    }

    [Fact]
    public void At_the_first_start_all_are_let_in_at_once_and_then_the_Service_follows()
    {
        var seen = Shared(Server("db-0").Unlabelled(), Server("db-1").Unlabelled(), Server("db-2").Unlabelled().NotAsked());
        var fresh = seen with { Group = seen.Group with { Services = [new ServiceObservation { Name = "db-rw", Role = TrafficRole.Active, SelectedPod = "db-0", PublishedTerm = 7 }] } };
        var verdict = SharedDecider.Decide(fresh);
        Assert.Equal(["db-0 active", "db-1 active", "db-2 standby"], Labels(verdict));

        var labelled = fresh with { Group = fresh.Group with { Members = [Server("db-0"), Server("db-1"), Server("db-2").OutOfTraffic().NotAsked()] } };
        Assert.Equal(new Step.PointService("db-rw", TrafficRole.Active, null, 7), Assert.Single(SharedDecider.Decide(labelled).Steps));
    }

    [Theory]
    [InlineData(9.9, null, false, 0.1)]
    [InlineData(10, null, true, null)]
    [InlineData(60, 4.9, false, 0.1)]
    [InlineData(60, 5.0, true, null)]
    [InlineData(4, 2.0, false, 6.0)]
    public void It_is_let_in_again_when_it_has_been_fit_for_long_enough_and_in_its_turn(double fit, double? admitted, bool isIn, double? lookAgain)
    {
        var seen = Shared(Server("db-0"), Server("db-1").OutOfTraffic(), Server("db-2")).FitFor("db-1", fit);
        var verdict = SharedDecider.Decide(admitted is { } ago ? seen.AdmittedAgo(ago) : seen);
        Assert.Equal(isIn, verdict.ServingIn().Contains("db-1"));
        Assert.Equal(lookAgain, verdict.LookAgainIn is { } pause ? Math.Round(pause.TotalSeconds, 3) : null);
    }

    [Fact]
    public void One_is_let_in_at_a_time_who_has_been_fit_for_longest_first()
    {
        var seen = Shared(Server("db-0"), Server("db-1").OutOfTraffic(), Server("db-2").OutOfTraffic()).FitFor("db-1", 20).FitFor("db-2", 30);
        Assert.Equal(["db-2 active"], Labels(SharedDecider.Decide(seen)));
    }

    [Theory]
    [InlineData(3, "True", Reasons.EnoughActive, 1)]
    [InlineData(2, "True", Reasons.EnoughActive, 0)]
    [InlineData(1, "False", Reasons.TooFewActive, 0)]
    public void Fewer_than_minActive_is_not_available(int healthy, string status, string reason, int toSpare)
    {
        var verdict = SharedDecider.Decide(Shared([.. Enumerable.Range(0, 3).Select(n => n < healthy ? Server($"db-{n}") : Server($"db-{n}").OutOfTraffic().Fails())]));
        Assert.Equal((status, reason, toSpare), (verdict.Available.Status.ToString(), verdict.Available.Reason, verdict.ToSpare));
        Assert.Contains($"{healthy} of 3 members take traffic, 2 must (minActive)", verdict.Available.Message);
        if (healthy < 3) Assert.Contains("db-2 status 503", verdict.Available.Message);
    }

    [Fact]
    public void An_operator_that_cannot_trust_what_it_sees_takes_nobody_out()
    {
        var seen = Shared(Server("db-0").Fails(), Server("db-1"), Server("db-2").OutOfTraffic());
        var verdict = SharedDecider.Decide(seen with { Group = seen.Group with { Operator = new OperatorObservation(true, Seconds(6)) } });
        Assert.Empty(verdict.Steps);
        Assert.Equal(["db-0", "db-1"], verdict.ServingIn());
        Assert.Equal(ConditionStatus.Unknown, verdict.Available.Status);
    }

    [Fact]
    public void Without_an_engine_readiness_is_all_that_counts()
    {
        var spec = GivenShared.ActiveActive with { Engine = new EngineSpec { Type = EngineType.None } };
        var verdict = SharedDecider.Decide(Shared(spec, Server("db-0").Silent(60), Server("db-1").NotReady(0), Server("db-2").OnNode(NodeState.NotReady), Server("db-3")));
        Assert.Equal(["db-0", "db-3"], verdict.ServingIn());
    }

    /// <summary>After a power cut: the kubelets have come back and spoken, the control plane has not looked at the nodes again.</summary>
    [Theory]
    [InlineData(NodeState.Unknown)]
    [InlineData(NodeState.NotReady)]
    public void Without_an_engine_those_whom_kubelets_call_ready_come_back_while_all_nodes_look_down(NodeState state)
    {
        var spec = GivenShared.ActiveActive with { Engine = new EngineSpec { Type = EngineType.None } };
        Member[] members = [Server("db-0").OutOfTraffic(), Server("db-1").Unlabelled(), Server("db-2").OutOfTraffic().NotReady(1)];
        var verdict = SharedDecider.Decide(Shared(spec, [.. members.Select(m => m.OnNode(state))]));
        Assert.Equal(["db-0", "db-1"], verdict.ServingIn());
        Assert.Equal((ConditionStatus.Unknown, Reasons.MembersUnknown), (verdict.Available.Status, verdict.Available.Reason));
        // Not while one is known to be fit.
        Assert.Equal(["db-3"], SharedDecider.Decide(Shared(spec, [.. members.Select(m => m.OnNode(state)), Server("db-3")])).ServingIn());
    }

    [Fact]
    public void A_request_to_promote_somebody_is_refused()
    {
        var seen = Shared(Server("db-0"), Server("db-1"));
        var request = Running(FailoverPhase.Pending, FailoverType.Switchover) with { IsOwn = false };
        var verdict = SharedDecider.Decide(seen with { Group = seen.Group.With(request) });
        var enter = Assert.IsType<Step.Enter>(Assert.Single(verdict.Steps));
        Assert.Equal((FailoverPhase.Failed, Reasons.NotRequestable, request), (enter.Phase, enter.Reason, verdict.Request));
    }

    private static readonly string[] Ways =
    [
        "is well", "is well", "is well", "refused once", "refused twice", "silent", "fails", "takes no writes", "not ready", "being deleted", "evicted",
        "node down and silent", "node down and answers", "node unobserved", "rejects the password", "cannot be asked", "not asked yet",
    ];

    private static readonly Gen<SharedObservation> AnyGroup = Gen.Select(
        Gen.Select(Gen.Int[0, Ways.Length - 1], Gen.Int[0, 2], Gen.Double[0, 20]).Array[1, 6], Gen.Bool, (all, isAsked) =>
    {
        var members = all.Select((m, n) => That(Ways[m.Item1], Server($"db-{n}")) with { RoleLabel = m.Item2 switch { 0 => RoleLabels.Active, 1 => RoleLabels.Standby, _ => null } });
        var seen = Shared(GivenShared.ActiveActive with { Engine = new EngineSpec { Type = isAsked ? EngineType.Hooks : EngineType.None } }, [.. members]);
        return all.Select((m, n) => (m, n)).Where(x => Fitness.Of(seen.Group.Members[x.n], seen.Group.Spec) is Fitness.Fit)
            .Aggregate(seen, (s, x) => s.FitFor($"db-{x.n}", x.m.Item3));
    });

    /// <summary>
    /// Whatever is seen: nobody that is known to fail takes traffic while somebody may be fit; of those that take it one at least stays
    /// unless all of them end; where kubelets call somebody ready, one of those takes it; and at most one is let in beside others.
    /// </summary>
    [Fact]
    public void The_floor_and_the_ejection_hold_for_every_group() => AnyGroup.Sample(seen =>
    {
        var verdict = SharedDecider.Decide(seen);
        var members = seen.Group.Members.Select(m => (Member: m, Fitness: Fitness.Of(m, seen.Group.Spec), IsIn: verdict.Serving.Contains(m))).ToList();
        var was = members.Where(m => m.Member.RoleLabel == RoleLabels.Active).ToList();
        Assert.All(members.Where(m => m.Fitness is Fitness.Gone), m => Assert.False(m.IsIn));
        if (was.Any(m => m.Fitness is not Fitness.Gone)) Assert.Contains(members, m => m.IsIn);
        if (members.Any(m => m.Fitness is Fitness.Fit or Fitness.Failing { IsReady: true })) Assert.Contains(members, m => m.IsIn && m.Member.Pod.Ready);
        var isSure = members.Any(m => m.IsIn && m.Fitness is Fitness.Fit or Fitness.Unknown);
        if (isSure) Assert.All(members.Where(m => m.Fitness is Fitness.Failing), m => Assert.False(m.IsIn));
        if (was.Any(m => m.Fitness is Fitness.Fit or Fitness.Unknown))
            Assert.True(members.Count(m => m.IsIn && m.Member.RoleLabel != RoleLabels.Active) <= 1, "one at a time");
        // A Service follows the labels, and the labels what was decided.
        Assert.All(verdict.Steps.OfType<Step.Label>(), label => Assert.Equal(verdict.Serving.Any(m => m.Uid == label.Member.Uid), label.Role == RoleLabels.Active));
    });

    /// <summary>Doing what was decided leaves nothing more to be decided: no member goes in and out by itself.</summary>
    [Fact]
    public void What_was_decided_is_not_decided_otherwise_at_once() => AnyGroup.Sample(seen =>
    {
        var first = SharedDecider.Decide(seen);
        var done = seen with
        {
            Group = seen.Group with { Members = [.. first.Members.Select(p => p.Member with { RoleLabel = p.Standing.Label })] },
            AdmittedAgo = TimeSpan.Zero,
        };
        Assert.Equal(first.ServingIn(), SharedDecider.Decide(done).ServingIn());
    });

    private static Member That(string how, Member member) => how switch
    {
        "is well" => member,
        "refused once" => member.Refused(1),
        "refused twice" => member.Refused(2),
        "silent" => member.Silent(1),
        "fails" => member.Fails(),
        "takes no writes" => member.TakesNoWrites(),
        "not ready" => member.NotReady(0),
        "being deleted" => member.Terminating(),
        "evicted" => member.Phase(PodPhase.Failed),
        "node down and silent" => member.OnNode(NodeState.Unknown).Silent(1),
        "node down and answers" => member.OnNode(NodeState.Unknown),
        "node unobserved" => member.OnNode(NodeState.Unobserved),
        "rejects the password" => member.Unauthorized(),
        "cannot be asked" => member.CannotBeAsked(),
        "not asked yet" => member.NotAsked(),
        _ => throw new ArgumentOutOfRangeException(nameof(how), how, "not known"),
    };

    private static List<string> Labels(SharedVerdict verdict) => [.. verdict.Steps.Cast<Step.Label>().Select(l => $"{l.Member.Name} {l.Role}")];
}
