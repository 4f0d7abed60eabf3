using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Reporting;

/// <summary>Whether an old primary's silence may last longer than may be lost, and what decides about it. Up to 2 s of it go unnoticed.</summary>
public sealed class LossFeasibilityTests
{
    private const int Never = -1;

    private static GroupObservation WithAgents(int rpoSeconds, DataLossPolicy policy = DataLossPolicy.WithinTarget, EngineType engine = EngineType.Redis) =>
        Within(GivenAgents.Healthy(), rpoSeconds, policy).With(s => s with { Engine = new EngineSpec { Type = engine } });

    private static GroupObservation Within(GroupObservation group, int rpoSeconds, DataLossPolicy policy = DataLossPolicy.WithinTarget) => group.With(s => s with
    {
        Targets = s.Targets with { RpoSeconds = rpoSeconds },
        Promotion = s.Promotion with { DataLoss = policy },
    });

    /// <summary>Without agents; its pods have so long to end.</summary>
    private static GroupObservation Ending(int? graceSeconds, ReplicationLink link, long? lagBytes = null) => Healthy() is var group ? group with
    {
        Members = [.. group.Members.Select(m => m.Says(s => s.Role == EngineRole.Primary ? s : s with { Link = link, ReportedLagBytes = lagBytes }))
            .Select(m => m with { Pod = m.Pod with { GracePeriod = graceSeconds is { } seconds ? Seconds(seconds) : null } })],
    } : group;

    private static ConditionFact TargetsMet(GroupObservation group) =>
        GroupReport.Of(group, new AcceptanceVerdict(true, true, Reasons.Valid, "fine"), Decider.Decide(group)).Conditions.Single(c => c.Type == ConditionTypes.TargetsMet);

    public static TheoryData<string, GroupObservation, int> Cases => new()
    {
        // How far beyond it is, in milliseconds.
        { "a lease of 5 s, 3 s and the pause between two answers are enough", WithAgents(3), 0 },
        { "2 s are not", WithAgents(2), 1000 },
        { "nobody may allow any loss", WithAgents(30, DataLossPolicy.Forbid), 3000 },
        { "a person is to be asked anyway", WithAgents(1, DataLossPolicy.RequireApproval), Never },
        { "PostgreSQL that waits for nobody", WithAgents(1, engine: EngineType.PostgreSQL), 2000 },
        { "a quorum has what was acknowledged", WithAgents(0, engine: EngineType.PostgreSQL), Never },
        { "the pod may take 30 s, after 6", Ending(30, ReplicationLink.Unknown), 4000 },
        { "it has 26", Ending(26, ReplicationLink.Unknown), 0 },
        { "how long is not known", Ending(null, ReplicationLink.Unknown), 0 },
        { "a link tells that the log still comes", Ending(30, ReplicationLink.Up), Never },
        { "so does a lag", Ending(30, ReplicationLink.Unknown, 7), Never },
        { "of a warm standby a link tells nothing", Ending(30, ReplicationLink.Up).With(s => s with { Standby = StandbyTemperature.Warm }), 4000 },
        { "but its own account does", Ending(30, ReplicationLink.Up, 7).With(s => s with { Standby = StandbyTemperature.Warm }), Never },
        { "a cold one tells when it runs", Ending(30, ReplicationLink.Unknown).With(s => s with { Standby = StandbyTemperature.Cold }), Never },
        { "nobody has told anything yet", Ending(30, ReplicationLink.Unknown) with { Members = [Primary(), Standby("db-1").Silent(1)] }, Never },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_proof_of_the_old_primarys_end_is_within_what_may_be_lost(string name, GroupObservation group, int beyondMilliseconds)
    {
        var feasibility = LossFeasibility.Of(group);
        Assert.True((beyondMilliseconds == Never) == (feasibility is null), name);
        if (feasibility is null) return;
        Assert.True(feasibility.IsMet == (beyondMilliseconds == 0), name);
        var beyond = feasibility.Shares.Sum(s => s.Milliseconds) - (long)(feasibility.Objective + feasibility.Tolerance).TotalMilliseconds;
        Assert.Equal(beyondMilliseconds, Math.Max(0, beyond));
    }

    [Fact]
    public void The_condition_says_what_decides_and_what_would_do()
    {
        var fact = TargetsMet(WithAgents(2));
        Assert.Equal((ConditionStatus.False, Reasons.TargetInfeasible), (fact.Status, fact.Reason));
        Assert.Equal("an old primary that nobody hears may write on for 5.0 s before its end is proven, the lease's end 5.0 s (detection.leaseDurationSeconds); "
            + "beyond 4.0 s, targets.rpoSeconds and the usual pause between two answers, a person is asked, unless a standby tells that it went on to receive the log; "
            + "detection.leaseDurationSeconds decides most: raise targets.rpoSeconds to 3", fact.Message);

        // A shorter lease is advised only where the agent can stop in time.
        var longer = WithAgents(4).With(s => s with { Detection = s.Detection with { LeaseDurationSeconds = 9 } });
        Assert.EndsWith("detection.leaseDurationSeconds decides most: lower it to 6, or raise targets.rpoSeconds to 7", TargetsMet(longer).Message);
        Assert.NotEqual(Reasons.TargetInfeasible, TargetsMet(longer.With(s => s with { Detection = s.Detection with { LeaseDurationSeconds = 6 } })).Reason);
        Assert.NotEqual(Reasons.TargetInfeasible, TargetsMet(Within(longer, 7)).Reason);

        Assert.EndsWith("nobody is promoted, and promotion.dataLoss: Forbid lets nobody allow it, unless a standby tells that it went on to receive the log; "
            + "detection.leaseDurationSeconds decides most: let a person decide (promotion.dataLoss: RequireApproval)", TargetsMet(WithAgents(30, DataLossPolicy.Forbid)).Message);

        Assert.EndsWith("detection 6.0 s (detection.unhealthyAfterSeconds) and the end of its pod 30.0 s (terminationGracePeriodSeconds of the pods); beyond 32.0 s, "
            + "targets.rpoSeconds and the usual pause between two answers, a person is asked, unless a standby tells that it went on to receive the log; "
            + "terminationGracePeriodSeconds of the pods decides most: lower it to 26, or raise targets.rpoSeconds to 34", TargetsMet(Ending(30, ReplicationLink.Unknown)).Message);
    }

    /// <summary>What is said to be too long is: the judge of losses refuses just then.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void It_says_what_the_judge_of_losses_does(int rpoSeconds, bool isMet)
    {
        // The lease's 5 s, in which the standby received nothing.
        var running = Running(FailoverPhase.Electing);
        running = running with { SilentFor = Seconds(5), Status = running.Status with { Fence = new FenceRecord { Evidence = FenceEvidence.PodTerminated } } };
        var group = Within(Group(Standby("db-1").Says(s => s with { Link = ReplicationLink.Down, LinkDownFor = Seconds(5) })).With(running), rpoSeconds) with { PrimaryMemory = null };
        Assert.Equal(isMet, Elections.Choose(group, running, FailoverProcedure.FreshnessBound) is Choice.Candidate);
        Assert.Equal(isMet, LossFeasibility.Of(WithAgents(rpoSeconds))!.IsMet);
    }

    [Fact]
    public void Both_targets_are_told_of()
    {
        var message = TargetsMet(WithAgents(1).With(s => s with { Targets = s.Targets with { RtoSeconds = 6 } })).Message;
        Assert.Contains("raise targets.rtoSeconds to 7; an old primary", message);
    }
}
