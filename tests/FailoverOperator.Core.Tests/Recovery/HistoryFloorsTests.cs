using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>Nobody begins a log of a name that another one may have.</summary>
public sealed class HistoryFloorsTests
{
    private static readonly LogPoint Origin = new() { History = "log-1", PositionBytes = 900 };

    private static FailoverRecord Promoting(string? known = "log-2", LogPoint? origin = null, string? candidates = "log-2") =>
        Running(FailoverPhase.Promoting, candidate: "db-1", fence: FenceEvidence.Released) is var f
            ? f with
            {
                Spec = f.Spec with { PrimaryHistory = known, PrimaryOrigin = origin ?? Origin, Term = 9 },
                Status = f.Status with { Origin = candidates is null ? null : new LogPoint { History = candidates, PositionBytes = 950 } },
            }
            : f;

    private static GroupObservation Unserved(int count) => Enumerable.Range(2, count).Aggregate(
        Healthy().Released(), (group, term) => group.With(Given.Ended(term, "db-1")).NeverServed()) is var g
            ? g with { Failovers = [Given.Ended(1, "db-0"), .. g.Failovers.Skip(1)] }
            : g;

    [Fact]
    public void Who_has_the_newest_log_continues_it()
    {
        Assert.Null(HistoryFloors.For(Unserved(0), Promoting()));
        Assert.Null(HistoryFloors.For(Unserved(0), Promoting(known: null) is var f ? f with { Spec = f.Spec with { PrimaryOrigin = null } } : f));
    }

    [Fact]
    public void Who_has_the_log_before_leaves_the_lost_one_out() =>
        Assert.Equal(new HistoryFloor("log-2", 0), HistoryFloors.For(Unserved(0), Promoting(candidates: "log-1")));

    [Theory]
    [InlineData("log-2", 1, "log-2", 1)]
    [InlineData("log-2", 2, "log-2", 2)]
    [InlineData(null, 0, "log-1", 1)]
    [InlineData(null, 1, "log-1", 2)]
    // Chosen after one that was chosen from the log before: the lost log, and what that one may have begun.
    [InlineData("log-1", 1, "log-1", 2)]
    public void Logs_that_nobody_saw_are_counted(string? known, int unserved, string newest, int unseen) =>
        Assert.Equal(new HistoryFloor(newest, unseen), HistoryFloors.For(Unserved(unserved), Promoting(known)));

    [Fact]
    public void Where_a_crashed_server_is_started_again_there_may_be_more()
    {
        var group = Unserved(1).With(s => s with { Detection = s.Detection with { OnProcessCrash = OnProcessCrash.RestartFirst } });
        Assert.Equal(new HistoryFloor("log-2", 5), HistoryFloors.For(group, Promoting(candidates: "log-1")));
        Assert.Equal(new HistoryFloor("log-1", 6), HistoryFloors.For(group, Promoting(known: null)));
    }

    /// <summary>The operator may not have seen the last of them before that primary was lost, and the candidate, which has the newest it saw, none.</summary>
    [Fact]
    public void Then_even_who_has_the_newest_log_that_was_seen_leaves_some_out()
    {
        var group = Unserved(0).With(s => s with { Detection = s.Detection with { OnProcessCrash = OnProcessCrash.RestartFirst } });
        Assert.Equal(new HistoryFloor("log-2", 2), HistoryFloors.For(group, Promoting()));
    }

    // ---- a member that is given the lease again and again

    private static GroupObservation Again(int count, Func<LeaseRecord, LeaseRecord> lease) => Unserved(count).Leased(l => lease(l with { Floor = new HistoryFloor("log-1", 4) }));

    private static LeaseRecord HeldBy(LeaseRecord lease, string name, bool isClaimed) => lease with
    {
        Holder = Identity(name),
        Assignment = LeaseContract.Assignment(Identity(name), lease.Term),
        Release = null,
        Accepted = isClaimed ? lease.Accepted : null,
    };

    [Theory]
    [InlineData("db-2", true, 5)]
    [InlineData("db-2", false, 4)] // it never was writable
    [InlineData("db-1", true, 4)] // it knows what it has begun itself
    [InlineData("db-1", false, 4)]
    public void What_it_can_not_know_of_is_all_that_is_added(string lastHolder, bool isClaimed, int expected) =>
        Assert.Equal(new HistoryFloor("log-1", expected), HistoryFloors.For(Again(2, l => HeldBy(l, lastHolder, isClaimed)), Promoting(known: null)));

    /// <summary>Else the annotation would grow for ever, and an agent refuses what leaves out a thousand names.</summary>
    [Fact]
    public void Its_terms_do_not_add_up()
    {
        HistoryFloor? floor = new("log-7", 1);
        for (var term = 0; term < 2000; term++)
            floor = HistoryFloors.For(Unserved(7).Leased(l => HeldBy(l, "db-1", isClaimed: term % 2 == 0) with { Floor = floor }), Promoting(known: term % 3 == 0 ? null : "log-2"));
        Assert.Equal(
            [("log-1", 8), ("log-2", 7), ("log-7", 1)],
            Chain(floor).Select(f => (f.History, f.Unseen)).Order());

        static IEnumerable<HistoryFloor> Chain(HistoryFloor? floor)
        {
            for (; floor is not null; floor = floor.And) yield return floor;
        }
    }

    [Fact]
    public void What_the_last_holder_was_told_holds_on_until_its_log_is_seen()
    {
        static GroupObservation Told(GroupObservation group) => group.Leased(l => l with { Floor = new HistoryFloor("log-7", 1) });
        Assert.Equal(new HistoryFloor("log-1", 1, new("log-7", 2)), HistoryFloors.For(Told(Unserved(0)), Promoting(known: null)));
        Assert.Equal(new HistoryFloor("log-2", 1, new("log-7", 2)), HistoryFloors.For(Told(Unserved(1)), Promoting()));
        Assert.Equal(new HistoryFloor("log-2", 0), HistoryFloors.For(Told(Unserved(0)), Promoting(candidates: "log-1")));
    }

    [Fact]
    public void It_is_given_with_the_lease()
    {
        var steps = Assert.IsType<Decision.Advance>(Next(Unserved(0), Promoting(candidates: "log-1"))).Steps;
        Assert.Equal(new HistoryFloor("log-2", 0), Assert.Single(steps.OfType<Step.AssignLease>()).Floor);
    }

    [Fact]
    public void What_the_candidate_had_is_written_down_before_it_is_promoted()
    {
        var electing = Running(FailoverPhase.Electing, 0.5, fence: FenceEvidence.Released);
        var group = Healthy().Released().Change("db-0", m => m.Unreachable(6));
        var enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(Next(group, electing)).Steps));
        Assert.Equal((FailoverPhase.Promoting, new LogPoint { History = Given.Log, PositionBytes = 1000 }), (enter.Phase, enter.Origin));
        // Whose log has begun already, nobody knows from what.
        var serving = Group(Primary(), Standby("db-1"), Standby("db-2"));
        enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(Next(serving, electing with { Spec = electing.Spec with { Type = FailoverType.Election } })).Steps));
        Assert.Null(enter.Origin);
    }
}
