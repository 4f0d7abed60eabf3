using CsCheck;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Invariant I5: R + W &gt; N.</summary>
public sealed class QuorumTests
{
    private static LeaseTerms Terms(int n, int standbys) => new()
    {
        Members = [.. Enumerable.Range(0, n).Select(i => new LeaseMember($"db-{i}", $"uid-db-{i}", $"10.0.0.{i}", 8008))],
        SynchronousStandbys = standbys,
    };

    private static IReadOnlyList<Member> Heard(params int[] who) => [.. who.Select(i => Standby($"db-{i}"))];

    [Theory]
    [InlineData(3, 1, new[] { 1, 2 }, true)]
    [InlineData(3, 1, new[] { 1 }, false)]
    [InlineData(3, 1, new int[0], false)]
    [InlineData(3, 2, new[] { 1 }, true)]
    [InlineData(2, 1, new[] { 1 }, true)]
    [InlineData(2, 1, new int[0], false)]
    [InlineData(5, 2, new[] { 1, 2, 3 }, true)]
    [InlineData(5, 2, new[] { 1, 2 }, false)]
    [InlineData(3, 0, new int[0], true)]
    [InlineData(3, 1, new[] { 1, 7 }, false)]
    public void Whoever_has_the_most_of_enough_members_misses_nothing(int n, int standbys, int[] heard, bool enough) =>
        Assert.Equal(enough, Quorum.Missing([Terms(n, standbys)], Heard(heard)) is null);

    [Fact]
    public void Every_set_of_terms_must_be_satisfied()
    {
        Assert.Null(Quorum.Missing([Terms(2, 1), Terms(3, 1)], Heard(1, 2)));
        Assert.NotNull(Quorum.Missing([Terms(2, 1), Terms(3, 1)], Heard(1)));
        Assert.NotNull(Quorum.Missing([Terms(3, 1), Terms(2, 1)], Heard(1)));
    }

    [Fact]
    public void It_says_how_many_must_come_back_and_who_they_may_be()
    {
        var missing = Quorum.Missing([Terms(3, 1)], Heard(1))!;
        Assert.Contains("each acknowledged write is in 2 of 3 members, so 2 beside the old primary must be heard", missing);
        Assert.Contains("and 1 are; it takes 1 more of db-0, db-2", missing);
    }

    /// <summary>The theorem itself: whatever W members hold a write, one of those that were heard is among them.</summary>
    [Fact]
    public void A_quorum_meets_every_set_of_members_that_holds_a_write() =>
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 6], Gen.Int[0, 127], Gen.Int[0, 127]).Where(t => t.Item2 < t.Item1).Sample((n, standbys, heardBits, heldBits) =>
        {
            var heard = Enumerable.Range(0, n).Where(i => (heardBits & (1 << i)) != 0).ToArray();
            var held = Enumerable.Range(0, n).Where(i => (heldBits & (1 << i)) != 0).ToArray();
            return held.Length < standbys + 1 || standbys == 0 || Quorum.Missing([Terms(n, standbys)], Heard(heard)) is not null || heard.Intersect(held).Any();
        });
}
