using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Many groups fail at once.</summary>
public sealed class StormTests
{
    private static StormEntry Waiting(string slot, int priority = 0, double seconds = 0) => new(slot, priority, StormPart.Waiting, Given.Seconds(seconds));

    private static StormEntry Running(string slot, double seconds = 1) => new(slot, 0, StormPart.Running, Given.Seconds(seconds));

    public static TheoryData<string, StormEntry, StormEntry[], int, bool> Cases => new()
    {
        { "nobody else", Waiting("a"), [], 1, true },
        { "below the cap", Waiting("a"), [Running("b")], 2, true },
        { "at the cap", Waiting("a"), [Running("b")], 1, false },
        { "the last place is for who is more important", Waiting("a", 1, 9), [Running("b"), Waiting("c", 2)], 2, false },
        { "or has waited longer", Waiting("a", 1, 1), [Running("b"), Waiting("c", 1, 2)], 2, false },
        { "or by name", Waiting("b", 1, 1), [Waiting("a", 1, 1)], 1, false },
        { "nobody waits for who is less important", Waiting("a", 2), [Running("b"), Waiting("c", 1, 99)], 2, true },
        { "there is room for both", Waiting("a", 1), [Running("b"), Waiting("c", 2)], 3, true },
        { "its own entry is not another one", Waiting("a", 1, 5), [Waiting("a", 1, 5)], 1, true },
        { "not even as one that runs", Waiting("a"), [Running("a")], 1, true },
        { "what takes too long holds no place", Waiting("a"), [Running("b", 120)], 1, true },
        { "as long as it does not", Waiting("a"), [Running("b", 119.9)], 1, false },
        { "without a cap", Waiting("a"), [Running("b"), Waiting("c", 5)], 0, true },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void It_begins_when_a_place_is_free_and_nobody_goes_before(string why, StormEntry slot, StormEntry[] all, int cap, bool begins) =>
        Assert.True(Storm.On(slot, all, cap) is null == begins, why);

    [Fact]
    public void It_says_what_is_awaited()
    {
        var restraint = Storm.On(Waiting("a", -1), [Running("b"), Running("c"), Waiting("d")], 2)!;
        Assert.Equal((Reasons.ClusterDisruption, Storm.LookAgain), (restraint.Reason, restraint.LiftedIn));
        Assert.Contains("2 failovers run, the operator's storm.maxConcurrentFailovers allows 2, and 1 others go before this one (spec.priority -1): not until 2 of them have ended", restraint.Message);
        Assert.Equal(restraint.Reason, Restraint.Keeping(restraint.ToDecision(["its node is lost"]))!.Reason);
    }

    [Theory]
    [InlineData(FailoverType.Failover, FailoverCause.PrimaryNodeDown, false, true)]
    [InlineData(FailoverType.Failover, FailoverCause.Requested, true, false)]
    [InlineData(FailoverType.Election, FailoverCause.AllMembersDown, false, true)]
    [InlineData(FailoverType.Election, FailoverCause.NewGroup, false, false)]
    [InlineData(FailoverType.Adoption, FailoverCause.PrimaryMoved, false, false)]
    [InlineData(FailoverType.Switchover, FailoverCause.Requested, true, false)]
    [InlineData(FailoverType.Failback, FailoverCause.Failback, false, false)]
    public void It_concerns_what_the_operator_begins_because_of_a_failure(FailoverType type, FailoverCause cause, bool isRequested, bool expected) =>
        Assert.Equal(expected, Storm.Concerns(new FailoverSpec { Type = type, Cause = cause, RequestRef = isRequested ? new RequestReference { Name = "r" } : null }));

    /// <summary>
    /// Invariant I8, whatever the groups, their priorities and the order in which they look: never more than the cap run, nobody begins before one
    /// that waits and is more important, no place stays empty while somebody looks who waits, and everybody gets a turn.
    /// </summary>
    [Fact]
    public void Never_more_than_the_cap_the_most_important_first_and_everybody_in_the_end() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[-2, 2].Array[1, 25], Gen.Int[0, 1_000_000_000]).Sample((cap, priorities, seed) =>
        {
            var random = new Random(seed);
            var (now, begun) = (0, new List<string>());
            var entries = new Dictionary<string, (int Priority, StormPart Part, int Since)>();
            IReadOnlyList<StormEntry> All() => [.. entries.Select(e => new StormEntry(e.Key, e.Value.Priority, e.Value.Part, Given.Seconds((now - e.Value.Since) / 1000.0)))];
            while (begun.Count < priorities.Length || entries.Count > 0)
            {
                if (++now > 10_000) return false;
                // One that runs ends, or one that has not begun looks.
                var running = entries.Where(e => e.Value.Part == StormPart.Running).Select(e => e.Key).ToList();
                if (running.Count > 0 && random.Next(3) == 0)
                {
                    entries.Remove(running[random.Next(running.Count)]);
                    continue;
                }
                var index = random.Next(priorities.Length);
                var name = $"g{index:00}";
                if (begun.Contains(name)) continue;
                var since = entries.TryGetValue(name, out var known) ? known.Since : now;
                var self = new StormEntry(name, priorities[index], StormPart.Waiting, Given.Seconds((now - since) / 1000.0));
                var before = All();
                if (Storm.On(self, before, cap) is null)
                {
                    var waits = before.Where(e => e.Part == StormPart.Waiting && e.Slot != name).ToList();
                    var free = cap - running.Count;
                    if (waits.Count(e => e.Priority > self.Priority) >= free) return false;
                    entries[name] = (priorities[index], StormPart.Running, now);
                    begun.Add(name);
                }
                else
                {
                    // Who is next could have begun.
                    if (Storm.Next([.. before.Where(e => e.Slot != name), self], cap).Contains(name)) return false;
                    entries[name] = (priorities[index], StormPart.Waiting, since);
                }
                if (entries.Count(e => e.Value.Part == StormPart.Running) > cap) return false;
            }
            return true;
        });
}
