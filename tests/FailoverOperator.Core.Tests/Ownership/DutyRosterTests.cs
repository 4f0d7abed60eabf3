using CsCheck;
using FailoverOperator.Core.Ownership;

namespace FailoverOperator.Core.Tests.Ownership;

public class DutyRosterTests
{
    private const string Group = "shop/db";

    private static readonly Gen<string[]> Replicas = Gen.Int[0, 1000].Array[1, 8].Select(ids => ids.Distinct().Select(id => $"operator-{id}").ToArray());
    private static readonly Gen<string> Groups = Gen.Int[0, 100_000].Select(id => $"shop/db-{id}");

    [Fact]
    public void Whoever_sees_the_same_replicas_finds_the_same_order_in_which_each_occurs_once() => Gen.Select(Groups, Replicas).Sample((group, replicas) =>
    {
        var order = Rendezvous.Order(group, replicas);
        Assert.Equal(order, Rendezvous.Order(group, replicas.Reverse()));
        Assert.Equal(replicas.Order(), order.Order());
    });

    [Fact]
    public void A_replica_that_goes_leaves_the_order_of_the_others_as_it_was() => Gen.Select(Groups, Replicas).Sample((group, replicas) =>
    {
        foreach (var gone in replicas)
            Assert.Equal(Rendezvous.Order(group, replicas).Where(r => r != gone), Rendezvous.Order(group, replicas.Where(r => r != gone)));
    });

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Groups_are_spread_evenly(int count)
    {
        // Names as a Deployment gives them: alike but for the last letters.
        var replicas = Enumerable.Range(0, count).Select(i => $"failover-operator-7d9c5b6f4-x{(char)('a' + i)}2q7").ToList();
        var owned = Enumerable.Range(0, 10_000).GroupBy(i => Rendezvous.Order($"shop/db-{i}", replicas)[0]).ToDictionary(g => g.Key, g => g.Count());
        Assert.All(replicas, r => Assert.InRange(owned[r], 10_000 / count * 0.93, 10_000 / count * 1.07));
    }

    /// <summary>The order is part of no contract, but two versions of the operator that run beside each other in a rolling update should agree.</summary>
    [Fact]
    public void The_order_does_not_depend_on_the_process() =>
        Assert.Equal(["b", "c", "a"], Rendezvous.Order(Group, ["a", "b", "c"]));

    [Fact]
    public void Exactly_one_of_those_who_agree_owns_a_group_and_each_of_the_others_has_its_turn_later() => Gen.Select(Groups, Replicas).Sample((group, replicas) =>
    {
        var turns = replicas.Select(self => Turn(group, self, replicas)).Order().ToList();
        Assert.Equal(Enumerable.Range(0, replicas.Length).Select(rank => rank * DutyRoster.ClaimDelay), turns);
    });

    /// <summary>Whatever each believes of the others, somebody acts: one who thinks all others live waits no longer than its rank says.</summary>
    [Fact]
    public void With_any_views_that_differ_work_that_stands_undone_is_done_by_every_live_replica_at_last() => Gen.Select(Groups, Replicas, Gen.Bool.Array[8]).Sample((group, replicas, seen) =>
    {
        foreach (var self in replicas)
        {
            var others = replicas.Where(r => r != self).Select((r, i) => new Replica(r, TimeSpan.Zero, HasLeft: seen[i % seen.Length])).ToList();
            var duty = DutyRoster.Of(group, self, others, new PendingWork(IsClaim: false, replicas.Length * DutyRoster.StepDelay));
            Assert.IsNotType<Duty.Leave>(duty);
        }
    });

    [Fact]
    public void Alone_it_owns_everything() => Assert.IsType<Duty.Own>(DutyRoster.Of(Group, "a", [], null));

    [Theory]
    [InlineData(1499, false, false)]
    [InlineData(1500, false, true)]
    [InlineData(0, true, true)]
    public void An_owner_that_is_silent_or_has_left_is_followed_at_once(int unchangedMilliseconds, bool hasLeft, bool isFollowed)
    {
        var owner = new Replica("b", TimeSpan.FromMilliseconds(unchangedMilliseconds), hasLeft);
        Assert.Equal(isFollowed, DutyRoster.Of(Group, "c", [owner], null) is Duty.Own);
    }

    [Theory]
    [InlineData(true, 0, 0, 1000)]
    [InlineData(true, 0, 800, 200)]
    [InlineData(false, 0, 0, 1500)]
    [InlineData(false, 1400, 0, 100)]
    [InlineData(false, 0, 4900, 100)]
    [InlineData(true, 1499.9, 0, 5)]
    public void The_second_looks_again_when_its_turn_may_come(bool isClaim, double ownerSilentMilliseconds, int pendingMilliseconds, int lookAgainInMilliseconds)
    {
        var owner = new Replica("b", TimeSpan.FromMilliseconds(ownerSilentMilliseconds), HasLeft: false);
        var duty = DutyRoster.Of(Group, "c", [owner], new PendingWork(isClaim, TimeSpan.FromMilliseconds(pendingMilliseconds)));
        Assert.Equal(new Duty.Leave(TimeSpan.FromMilliseconds(lookAgainInMilliseconds)), duty);
    }

    [Theory]
    [InlineData(true, 1000)]
    [InlineData(false, 5000)]
    public void An_owner_that_lives_and_does_nothing_is_helped(bool isClaim, int pendingMilliseconds) => Assert.IsType<Duty.StandIn>(
        DutyRoster.Of(Group, "c", [new Replica("b", TimeSpan.Zero, HasLeft: false)], new PendingWork(isClaim, TimeSpan.FromMilliseconds(pendingMilliseconds))));

    [Fact]
    public void While_nothing_is_to_be_done_the_others_leave_it_at_that() =>
        Assert.Equal(new Duty.Leave(null), DutyRoster.Of(Group, "c", [new Replica("b", TimeSpan.Zero, HasLeft: false)], null));

    private static TimeSpan Turn(string group, string self, IEnumerable<string> replicas)
    {
        var others = replicas.Where(r => r != self).Select(r => new Replica(r, TimeSpan.Zero, HasLeft: false)).ToList();
        for (var pending = TimeSpan.Zero; ; pending += DutyRoster.ClaimDelay)
            if (DutyRoster.Of(group, self, others, new PendingWork(IsClaim: true, pending)) is not Duty.Leave) return pending;
    }
}
