using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>
/// Invariant I4: what is lost without a person's word is within the objective, counted up to the proof of the old primary's end. The objective is
/// 30 s; a silence of up to 2 s is that of a primary that is asked now and then.
/// </summary>
public sealed class DataLossTests
{
    private const string OfDb0 = "db-0-1";

    /// <summary>db-0 was at 500, and a second later at 510, at 600, and at 1000, 30, 29, 10 and 0 s before its last word.</summary>
    private static readonly PositionHistory Told = new[] { (0, 500L), (1, 510), (20, 600), (30, 1000) }
        .Aggregate(PositionHistory.Over(Seconds(30)), (all, told) => all.Add(Seconds(told.Item1), told.Item2));

    /// <summary>db-0's end is proven, so long after its last word.</summary>
    private static GroupObservation Fenced(double silentFor, params Member[] standbys)
    {
        var group = Group(standbys).With(Electing(silentFor, FenceEvidence.PodTerminated));
        return group with { PrimaryMemory = group.PrimaryMemory! with { RequiredPositionBytes = 500, Positions = Told, LastServiceAge = Seconds(silentFor + 0.5) } };
    }

    private static FailoverRecord Electing(double? silentFor, FenceEvidence evidence)
    {
        var running = Running(FailoverPhase.Electing);
        return running with
        {
            Spec = running.Spec with { RequiredPositionBytes = 500 },
            Status = running.Status with { Fence = new FenceRecord { Evidence = evidence } },
            SilentFor = silentFor is { } seconds ? Seconds(seconds) : null,
        };
    }

    private static GroupObservation Accepted(GroupObservation group, params string[] names) => group with { AcceptedLosses = names.Length > 0 ? names : [OfDb0] };

    private static GroupObservation Policy(GroupObservation group, DataLossPolicy policy) => group.With(s => s with { Promotion = s.Promotion with { DataLoss = policy } });

    private static Choice Choose(GroupObservation group) => Elections.Choose(group, group.Failovers[^1], FailoverProcedure.FreshnessBound);

    private static string? Chosen(GroupObservation group) => (Choose(group) as Choice.Candidate)?.Member.Name;

    private static Member Cut(string name, long position, double downFor = 60) =>
        Standby(name, position).Says(s => s with { Link = ReplicationLink.Down, LinkDownFor = Seconds(downFor) });

    [Fact]
    public void Of_two_that_have_all_that_was_heard_the_one_is_chosen_that_has_more_of_what_was_not()
    {
        Assert.Equal("db-2", Chosen(Fenced(1, Standby("db-1", 1000), Standby("db-2", 1400))));
        // Another log's bytes are no more of this one.
        Assert.Equal("db-1", Chosen(Fenced(1, Standby("db-1", 1000), Standby("db-2", 1400).Says(s => s with { History = "log-9" }))));
        // While somebody may write, who is further was asked later; the answer to who would take over is not to change with each question.
        var running = Group(Primary(), Standby("db-1", 1000), Standby("db-2", 1400));
        Assert.Equal("db-1", Candidates.Of(running, Benchmark.Of(running), Seconds(2)).Ranked(running.Members)[0].Name);
    }

    [Theory]
    [InlineData(0.5, 500, true)]
    [InlineData(0.5, 499, false)]
    [InlineData(2, 500, true)]
    [InlineData(2.5, 509, false)]
    [InlineData(2.5, 510, true)]
    [InlineData(12, 599, false)]
    [InlineData(12, 600, true)]
    [InlineData(30, 999, false)]
    [InlineData(32, 999, false)]
    [InlineData(32, 1000, true)]
    [InlineData(32.1, 1000, false)]
    [InlineData(600, 5000, false)]
    public void The_objective_is_counted_up_to_the_proof_of_the_old_primarys_end(double silentFor, long position, bool eligible) =>
        Assert.Equal(eligible ? "db-1" : null, Chosen(Fenced(silentFor, Cut("db-1", position))));

    [Theory]
    [InlineData(2, 500, true)]
    [InlineData(2.5, 999, false)]
    [InlineData(2.5, 1000, true)]
    public void An_operator_that_was_started_anew_knows_the_last_word_alone(double silentFor, long position, bool eligible) =>
        Assert.Equal(eligible ? "db-1" : null, Chosen(Fenced(silentFor, Cut("db-1", position)) with { PrimaryMemory = null }));

    [Theory]
    [InlineData(ReplicationLink.Up, null, true)]
    [InlineData(ReplicationLink.Down, 30.0, true)]
    [InlineData(ReplicationLink.Down, 30.1, false)]
    [InlineData(ReplicationLink.Unknown, null, false)]
    public void Of_one_that_was_silent_for_too_long_only_who_went_on_to_receive_its_log_has_enough(ReplicationLink link, double? downFor, bool eligible) =>
        Assert.Equal(eligible ? "db-1" : null, Chosen(Fenced(600, Standby("db-1", 1500).Says(s => s with { Link = link, LinkDownFor = downFor is { } d ? Seconds(d) : null }))));

    [Fact]
    public void Nobody_takes_what_another_log_has_for_it()
    {
        var foreign = Fenced(600, Standby("db-1", 1500).Says(s => s with { History = "log-9" }));
        Assert.Null(Chosen(foreign));
        Assert.Null(Chosen(Accepted(foreign)));
    }

    [Theory]
    [InlineData(FenceEvidence.ConfirmedByPerson, true)]
    [InlineData(FenceEvidence.Unproven, true)]
    [InlineData(FenceEvidence.NodeOutOfService, false)]
    [InlineData(FenceEvidence.PodTerminated, false)]
    public void Whoever_gives_his_word_for_the_end_was_told_of_the_silence(FenceEvidence evidence, bool eligible)
    {
        var group = Group(Cut("db-1", 1000)).With(Electing(600, evidence)) with { PrimaryMemory = null };
        Assert.Equal(eligible ? "db-1" : null, Chosen(group));
    }

    [Fact]
    public void Nothing_is_asked_of_a_person_who_has_said_it_may_not_say_it_or_is_told_of_something_else()
    {
        var group = Fenced(1, Standby("db-1", 499));
        var blocked = Assert.IsType<Decision.Blocked>(Decider.Decide(group).Decision);
        Assert.Equal(OfDb0, blocked.Loss?.Word);
        Assert.Null(DataLoss.Offer(Accepted(group), "why").Loss);
        Assert.Contains("to accept the loss", DataLoss.Offer(Accepted(group), "why").Message);
        Assert.Equal(new AwaitedLoss(OfDb0, "why"), DataLoss.Offer(Accepted(group, "db-7-3"), "why").Loss);
        var forbidden = Policy(group, DataLossPolicy.Forbid);
        Assert.Equal(new Explanation("why", null), DataLoss.Offer(forbidden, "why"));
        Assert.Null(Decider.Decide(forbidden).Decision.Loss);
    }

    [Fact]
    public void Before_the_fence_the_silence_lasts_on()
    {
        GroupObservation Failing(double silentFor) => Group(Primary().Silent(silentFor), Cut("db-1", 1000)) is var g
            ? g with { PrimaryMemory = g.PrimaryMemory! with { LastServiceAge = Seconds(silentFor), Positions = Told } } : null!;
        Assert.IsType<Decision.Begin>(Decider.Decide(Failing(6)).Decision);
        var blocked = Assert.IsType<Decision.Blocked>(Decider.Decide(Failing(40)).Decision);
        Assert.Contains("db-0 was not heard for 40 s", blocked.Message);
        Assert.EndsWith($"; to accept the loss, run: kubectl annotate rg db --overwrite {ApiGroup.DataLossAcceptedAnnotation}={OfDb0}", blocked.Message);
        var awaited = blocked.Loss!;
        Assert.Equal((OfDb0, blocked.Message), (awaited.Word, awaited.Message + DataLoss.Advice(Failing(40))));
        Assert.Equal(awaited, GroupReport.Of(Failing(40), new(true, true, "Valid", "fine"), Decider.Decide(Failing(40))).Slots.Single().AwaitedLoss);
        Assert.IsType<Decision.Begin>(Decider.Decide(Accepted(Failing(40))).Decision);

        // Of one that has begun: it is left alone, or deleted.
        GroupObservation Fencing(double silentFor) => Failing(silentFor).With(Running(FailoverPhase.Fencing));
        var alone = Assert.IsType<Decision.Blocked>(Decider.Decide(Fencing(40)).Decision);
        Assert.Equal(alone.Message, alone.Loss!.Message + DataLoss.Advice(Fencing(40)));
        Assert.IsType<Step.TerminatePod>(Assert.Single(Assert.IsType<Decision.Advance>(Decider.Decide(Accepted(Fencing(40))).Decision).Steps));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(0.5, false)]
    [InlineData(8.1, true)]
    [InlineData(40.0, true)]
    [InlineData(41.0, false)]
    public void What_has_surely_ended_is_not_silent_any_more(double? endProvenFor, bool begins)
    {
        var group = Group(Primary().Silent(40), Cut("db-1", 1000)) with { EndProvenFor = endProvenFor is { } seconds ? Seconds(seconds) : null };
        group = group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(40), Positions = Told } };
        Assert.Equal(begins, Decider.Decide(group).Decision is Decision.Begin);
        // Written down later than it was seen, or by another operator.
        Assert.Equal(begins ? "db-1" : null, Chosen(group.Without("db-0").With(Electing(40.5, FenceEvidence.PodTerminated))));
        Assert.Equal("db-1", Chosen(group.Without("db-0").With(Electing(1, FenceEvidence.PodTerminated))));
    }

    [Fact]
    public void A_primary_has_surely_ended_when_its_kubelet_or_its_own_agent_has_said_so()
    {
        Assert.False(DataLoss.IsEndProven(Healthy()));
        Assert.False(DataLoss.IsEndProven(Healthy() with { Failovers = [] }));
        Assert.False(DataLoss.IsEndProven(Group(Standby("db-1")) with { Departures = [Departed(confirmed: false)] }));
        Assert.True(DataLoss.IsEndProven(Group(Standby("db-1")) with { Departures = [Departed(confirmed: true)] }));
        Assert.False(DataLoss.IsEndProven(GivenAgents.Healthy()));
        Assert.True(DataLoss.IsEndProven(GivenAgents.Healthy().Change("db-0", m => m.Silent(1)).Released()));
    }

    [Theory]
    [InlineData(DataLossPolicy.WithinTarget, 1, 500, true)]
    [InlineData(DataLossPolicy.RequireApproval, 1, 999, false)]
    [InlineData(DataLossPolicy.RequireApproval, 1, 1000, true)]
    [InlineData(DataLossPolicy.RequireApproval, 2.5, 1000, false)]
    [InlineData(DataLossPolicy.Forbid, 1, 999, false)]
    [InlineData(DataLossPolicy.Forbid, 1, 1000, true)]
    public void Who_wants_to_be_asked_is_asked_as_soon_as_anything_may_be_lost(DataLossPolicy policy, double silentFor, long position, bool eligible) =>
        Assert.Equal(eligible ? "db-1" : null, Chosen(Policy(Fenced(silentFor, Cut("db-1", position)), policy)));

    [Fact]
    public void A_person_can_accept_the_loss_for_this_one_primary()
    {
        var group = Fenced(1, Cut("db-1", 400), Cut("db-2", 450));
        var refused = Assert.IsType<Choice.Nobody>(Choose(group));
        Assert.Equal(Reasons.BeyondRpo, refused.Reason);
        Assert.EndsWith($"{ApiGroup.DataLossAcceptedAnnotation}={OfDb0}", refused.Message);

        var chosen = Assert.IsType<Choice.Candidate>(Choose(Accepted(group)));
        Assert.Equal(("db-2", 550L, "db-2 misses more than the last 30 s of writes (50 bytes beyond)"), (chosen.Member.Name, chosen.LagBytes, chosen.AcceptedLoss));
        Assert.Null(Chosen(Accepted(group, "db-0-2", "other-0-1", "true")));
        Assert.Null(Chosen(Policy(Accepted(group), DataLossPolicy.Forbid)));
        Assert.DoesNotContain("to accept", Assert.IsType<Choice.Nobody>(Choose(Policy(group, DataLossPolicy.Forbid))).Message);

        var written = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(Decider.Decide(Accepted(group)).Decision).Steps));
        Assert.Equal(chosen.AcceptedLoss, written.AcceptedLoss);
    }

    /// <summary>A failover that a person asks for costs no more without his word for that; a switchover never costs anything.</summary>
    [Theory]
    [InlineData(FailoverType.Failover, false, false)]
    [InlineData(FailoverType.Failover, true, true)]
    [InlineData(FailoverType.Switchover, true, false)]
    public void A_request_is_held_to_the_same(FailoverType type, bool accepted, bool mayBegin)
    {
        var group = Group(Primary(), Cut("db-1", 400));
        if (accepted) group = Accepted(group);
        var request = new FailoverSpec { Type = type };
        Assert.Equal(mayBegin ? "db-1" : null, RequestCheck.Target(group, request)?.Name);
        var hindrance = RequestCheck.Hindrance(group, new Diagnosis.Healthy(), request);
        Assert.Equal(mayBegin, hindrance is null);
        if (type == FailoverType.Failover && !mayBegin) Assert.Contains("to accept the loss", hindrance!.Message);
    }

    /// <summary>Who was made the primary by hand beside the failed one is the only one that can be chosen.</summary>
    [Fact]
    public void Of_one_that_takes_writes_already_the_loss_can_be_accepted_as_well()
    {
        var group = Fenced(1, Cut("db-1", 400).Says(s => s with { Role = EngineRole.Primary, Writable = true }), Cut("db-2", 1000)).StartsReadOnly();
        Assert.Contains("to accept the loss", Assert.IsType<Choice.Nobody>(Choose(group)).Message);
        var chosen = Assert.IsType<Choice.Candidate>(Choose(Accepted(group)));
        Assert.Equal(("db-1", true), (chosen.Member.Name, chosen.AcceptedLoss is not null));
    }

    [Fact]
    public void What_was_accepted_of_another_slot_stays_accepted() =>
        Assert.EndsWith($"{ApiGroup.DataLossAcceptedAnnotation}=db-7-3,{OfDb0}",
            Assert.IsType<Choice.Nobody>(Choose(Accepted(Fenced(1, Cut("db-1", 400)), "db-7-3", "db-0-0"))).Message);

    /// <summary>What was accepted of one failure is not accepted of the next, though the same primary be hit.</summary>
    [Fact]
    public void A_word_ends_when_the_primary_is_heard_again()
    {
        var group = Fenced(1, Cut("db-1", 400)) with { LastServiceAt = "2026-11-28T03:12:09Z" };
        Assert.EndsWith($"={OfDb0}@2026-11-28T03:12:09Z", Assert.IsType<Choice.Nobody>(Choose(group)).Message);
        var accepted = Accepted(group, $"{OfDb0}@2026-11-28T03:12:09Z");
        Assert.Equal("db-1", Chosen(accepted));
        Assert.Null(Chosen(accepted with { LastServiceAt = "2026-11-28T03:12:10Z" }));
        Assert.Null(Chosen(Accepted(group)));
    }

    /// <summary>More silence never makes more eligible.</summary>
    [Theory]
    [InlineData(10, 999)]
    [InlineData(600, 999)]
    [InlineData(600, 100)]
    public void Who_lacks_what_was_heard_is_not_chosen_because_its_link_is_up(double silentFor, long position) =>
        Assert.Equal(silentFor < 30 && position > 600 ? "db-1" : null, Chosen(Fenced(silentFor, Standby("db-1", position))));

    [Fact]
    public void Nobody_accepts_an_empty_member_and_the_fullest_is_chosen_whatever_else_is_wanted()
    {
        var empty = Fenced(1, Cut("db-1", 0).Says(s => s with { IsEmpty = true }));
        Assert.DoesNotContain("to accept", Assert.IsType<Choice.Nobody>(Choose(empty)).Message);
        Assert.Null(Chosen(Accepted(empty)));
        var unwanted = Fenced(1, Cut("db-1", 300), Cut("db-2", 400)).With(s => s with
        {
            Promotion = s.Promotion with { CandidateOrder = [CandidateOrder.Name, CandidateOrder.LeastLag], Priorities = [Wanted("db-1", 200)] },
        });
        Assert.Equal("db-2", Chosen(Accepted(unwanted)));

        static MemberPriority Wanted(string member, int priority) => new() { Member = member, Priority = priority };
    }

    /// <summary>The pod had half a minute to end, and was heard all the while.</summary>
    [Fact]
    public void Who_was_heard_on_is_measured_by_what_it_said_then()
    {
        var group = Fenced(0.5, Cut("db-1", 550)) with { PrimaryMemory = Fenced(0.5).PrimaryMemory! with { Positions = Told.Add(Seconds(50), 2000), LastServiceAge = Seconds(1) } };
        Assert.Null(Chosen(group));
        Assert.Equal("db-1", Chosen(group.Change("db-1", _ => Cut("db-1", 600))));
    }

    [Theory]
    [InlineData(-555.0, false)]   // another operator's clock goes wrong
    [InlineData(1.0, true)]
    public void A_time_that_cannot_be_is_no_time(double silentFor, bool eligible) =>
        Assert.Equal(eligible ? "db-1" : null, Chosen(Fenced(silentFor, Cut("db-1", 1000)) with { PrimaryMemory = null }));

    [Fact]
    public void What_a_pod_said_in_an_earlier_term_of_its_own_says_nothing_of_this_one()
    {
        var group = Fenced(1, Cut("db-1", 1000));
        Assert.NotNull(DataLoss.Silence(group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(900) } }));
        Assert.Equal(Seconds(1), DataLoss.Silence(group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(900), Term = 0 } }));
    }

    /// <summary>It answered that it takes no writes, or nobody listened in its place.</summary>
    [Fact]
    public void Who_was_heard_not_to_write_was_not_silent()
    {
        var group = Group(Primary().Silent(1), Cut("db-1", 1000));
        group = group with { PrimaryMemory = group.PrimaryMemory! with { LastServiceAge = Seconds(60), HeardAge = Seconds(1) } };
        Assert.Equal(Seconds(1), DataLoss.Silence(group));
    }

    [Theory]
    [InlineData(true, 9, true)]
    [InlineData(true, 4, false)]
    [InlineData(false, 9, false)]
    public void With_agents_a_lease_that_has_run_out_counts_when_a_member_does_not_acknowledge_its_holder(bool answers, double acknowledgedAgo, bool proven)
    {
        var standby = GivenAgents.Standby("db-1").Acknowledges("db-0", acknowledgedAgo);
        var group = GivenAgents.Healthy().Change("db-0", m => m.Silent(9)).Change("db-1", _ => answers ? standby : standby.Silent(9))
            .Change("db-2", m => m.Acknowledges("db-0", 1)).Expired();
        Assert.Equal(proven, DataLoss.IsEndProven(group));
    }

    /// <summary>Nobody need ask how far it was: it said so itself.</summary>
    [Fact]
    public void Who_has_all_by_the_old_primarys_last_word_lacks_nothing_however_long_ago()
    {
        var group = GivenAgents.Healthy().With(s => s with { Targets = s.Targets with { RpoSeconds = 30 } }).Without("db-0").Released()
            .Change("db-1", m => Cut("db-1", 1000).Knows(1)).Change("db-2", _ => Cut("db-2", 999).Knows(1));
        group = group.With(Electing(600, FenceEvidence.Released)) with { PrimaryMemory = null };
        Assert.Equal("db-1", (LeaseElections.Choose(group, group.Failovers[^1], FailoverProcedure.FreshnessBound) as Choice.Candidate)?.Member.Name);
        Assert.IsType<Choice.Nobody>(LeaseElections.Choose(group.Without("db-1"), group.Failovers[^1], FailoverProcedure.FreshnessBound));
    }

    [Fact]
    public void Nothing_is_lost_that_need_not_be()
    {
        // Within the objective: the word was not needed.
        Assert.Null(Assert.IsType<Choice.Candidate>(Choose(Accepted(Fenced(1, Cut("db-1", 400), Cut("db-2", 700))))).AcceptedLoss);
        // The old primary itself is back with its data.
        var back = Primary().Recreated().Says(s => s with { Role = EngineRole.Standby, Writable = false, PositionBytes = 100, History = "log-9" });
        var group = Accepted(Fenced(1, back, Cut("db-1", 400)));
        var chosen = Assert.IsType<Choice.Candidate>(Choose(group));
        Assert.Equal(("db-0", null), (chosen.Member.Name, chosen.AcceptedLoss));
        // What else stands in the way goes on to do so.
        Assert.Null(Chosen(Accepted(Fenced(1, Cut("db-1", 400).NotReady(0)))));
    }

    [Fact]
    public void A_lost_quorum_can_be_accepted_too()
    {
        var group = GivenAgents.Healthy().Without("db-0").Change("db-1", _ => GivenAgents.Standby("db-1", 900)).Change("db-2", m => m.Silent(60)).Released().With(Electing(1, FenceEvidence.Released));
        var refused = Assert.IsType<Choice.Nobody>(LeaseChoice(group));
        Assert.Equal(Reasons.QuorumNotHeard, refused.Reason);
        Assert.Contains("to accept the loss", refused.Message);
        var chosen = Assert.IsType<Choice.Candidate>(LeaseChoice(Accepted(group)));
        Assert.Equal("db-1", chosen.Member.Name);
        Assert.Contains("each acknowledged write is in 2 of 3 members", chosen.AcceptedLoss);

        static Choice LeaseChoice(GroupObservation group) => LeaseElections.Choose(group, group.Failovers[^1], FailoverProcedure.FreshnessBound);
    }

    [Theory]
    [InlineData(false, TargetVerdict.Met)]
    [InlineData(true, TargetVerdict.RpoMissed)]
    public void A_loss_that_was_accepted_is_a_target_that_was_missed(bool accepted, TargetVerdict verdict) =>
        Assert.Equal(verdict, TargetJudge.Judge(FailoverType.Failover, new TargetsSpec(), 10, accepted));
}
