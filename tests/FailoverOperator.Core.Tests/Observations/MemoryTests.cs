using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Observations;

public sealed class MemoryTests
{
    [Fact]
    public void The_required_position_is_that_of_the_span_before_the_newest_in_bounded_space()
    {
        var history = PositionHistory.Over(Seconds(30));
        Assert.Null(history.Newest);
        Assert.Null(history.Required);
        for (var i = 0; i <= 10_000; i++)
        {
            history = history.Add(Seconds(i * 0.01), i);
            Assert.Equal(i, history.Newest);
            // Never older than the span; at most one 128th of it stricter.
            Assert.InRange(history.Required!.Value, Math.Max(0, i - 3000), Math.Max(0, i - 3000 + 48));
        }
    }

    [Fact]
    public void Without_a_span_no_loss_is_allowed() =>
        Assert.Equal(7, PositionHistory.Over(TimeSpan.Zero).Add(Seconds(1), 5).Add(Seconds(2), 7).Required);

    [Fact]
    public void The_holder_is_the_candidate_of_the_highest_own_term_and_terms_only_grow()
    {
        var foreign = Running(FailoverPhase.Completed, candidate: "db-2", term: 9) with { IsOwn = false };
        var slot = SlotHolder.Of(Healthy().With(Running(FailoverPhase.Failed, candidate: "db-1")).With(foreign));
        Assert.Equal(("db-1", 2L, 10L), (slot.Holder!.Name, slot.Term, slot.NextTerm));
        Assert.Equal(new SlotHolder(null, 0, 1), SlotHolder.Of(NewGroup(Standby("db-0"))));
        Assert.Equal(8, SlotHolder.Of(Healthy().Change("db-2", m => m with { TermLabel = 7 })).NextTerm);
        Assert.Equal(6, SlotHolder.Of(Healthy() with { Services = [Service("db-rw") with { PublishedTerm = 5 }] }).NextTerm);
        Assert.Null(SlotHolder.Of(Healthy()).MemberIn(Healthy().Change("db-0", m => m.Recreated())));
        Assert.Null(SlotHolder.Of(NewGroup()).MemberIn(Healthy()));
    }

    [Fact]
    public void The_holders_record_and_the_newest_are_never_forgotten()
    {
        FailoverRecord[] records = [Ended(1, "db-0"), Ended(2, "db-1"), Running(FailoverPhase.Aborted, term: 3), Running(FailoverPhase.Aborted, term: 4), Running(FailoverPhase.Fencing, term: 5)];
        Assert.Equal(["db-0-1", "db-0-3", "db-0-4"], FailoverHistory.Surplus(records, 1).Select(f => f.Name));
        Assert.Equal(["db-0-1"], FailoverHistory.Surplus(records, 3).Select(f => f.Name));
        Assert.Empty(FailoverHistory.Surplus(records, 4));
        Assert.Empty(FailoverHistory.Surplus([Ended(1, "db-0")], 0));
    }
}
