using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Reporting;

/// <summary>Whether a target can be met at all, and what decides about it.</summary>
public sealed class FeasibilityTests
{
    private static GroupObservation Within(GroupObservation group, int rtoSeconds) => group.With(s => s with { Targets = s.Targets with { RtoSeconds = rtoSeconds } });

    private static ConditionFact TargetsMet(GroupObservation group) =>
        GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group)).Conditions.Single(c => c.Type == ConditionTypes.TargetsMet);

    private static FailoverRecord Past(long term, long promote, long repoint, TargetVerdict verdict = TargetVerdict.Met)
    {
        var running = Given.Running(FailoverPhase.Completed, candidate: "db-0", term: term);
        return running with
        {
            Status = running.Status with
            {
                Targets = verdict,
                Phases =
                [
                    new PhaseDuration { Name = TimedPhase.Promote, Milliseconds = promote },
                    new PhaseDuration { Name = TimedPhase.Repoint, Milliseconds = repoint },
                    new PhaseDuration { Name = TimedPhase.Verify, Milliseconds = 50 },
                ],
            },
        };
    }

    [Fact]
    public void With_agents_the_lease_decides()
    {
        Assert.Equal(7000, Feasibility.Of(GivenAgents.Healthy()).WorstMilliseconds);
        Assert.Equal((ConditionStatus.Unknown, Reasons.NoFailoverYet), TargetsMet(Within(GivenAgents.Healthy(), 7)) is var met ? (met.Status, met.Reason) : default);
        var fact = TargetsMet(Within(GivenAgents.Healthy(), 6));
        Assert.Equal((ConditionStatus.False, Reasons.TargetInfeasible), (fact.Status, fact.Reason));
        Assert.Equal("a failover may take 7.0 s, targets.rtoSeconds is 6: the lease's end 5.0 s (detection.leaseDurationSeconds), promotion, so far unmeasured, 1.0 s, "
            + "traffic, so far unmeasured, 1.0 s; detection.leaseDurationSeconds decides most: lower it, or raise targets.rtoSeconds to 7", fact.Message);
    }

    [Fact]
    public void Without_agents_the_proof_does()
    {
        var group = Given.Healthy();
        Assert.Equal(28_000, Feasibility.Of(group).WorstMilliseconds);
        Assert.Contains("fencing.timeoutSeconds decides most", TargetsMet(Within(group, 10)).Message);
        var slow = group.With(s => s with { Detection = s.Detection with { UnhealthyAfterSeconds = 25 }, Fencing = s.Fencing with { TimeoutSeconds = 5 } });
        Assert.Contains("detection.unhealthyAfterSeconds decides most", TargetsMet(slow).Message);
        Assert.Equal(48_000, Feasibility.Of(group.With(s => s with { Fencing = s.Fencing with { Policy = [FencingMethod.PodTermination, FencingMethod.Job] } })).WorstMilliseconds);
    }

    [Fact]
    public void Promotion_and_traffic_are_taken_from_what_failovers_took()
    {
        var group = GivenAgents.Healthy();
        group = group with { Failovers = [.. group.Failovers, Past(2, 300, 100), Past(3, 4000, 200), Past(4, 500, 350)] };
        Assert.Equal(5000 + 500 + 250, Feasibility.Of(group).WorstMilliseconds);
        Assert.Contains("promotion, median of 3, 0.5 s", Feasibility.Of(group).Explain(group.Spec.Targets));
    }

    [Fact]
    public void What_was_missed_is_said_before_what_could_be()
    {
        var group = Within(GivenAgents.Healthy(), 6);
        group = group with { Failovers = [.. group.Failovers, Past(2, 300, 100, TargetVerdict.RtoMissed)] };
        Assert.Equal(Reasons.RtoExceeded, TargetsMet(group).Reason);
        group = group with { Failovers = [Past(2, 3000, 100)] };
        Assert.Equal(Reasons.TargetInfeasible, TargetsMet(group).Reason);
    }
}
