using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>
/// Five members, of which three have each acknowledged write. db-0 was promoted from log-1, which it had up to 900, and was lost for good before anybody
/// saw which log it began. db-1 has log-1, too, and others have come no further than logs from before.
/// </summary>
public sealed class LineageTests
{
    private static readonly Benchmark Unseen = new(Given.Reference("db-0"), null, null, null) { Origin = new() { History = "log-1", PositionBytes = 900 } };

    private static Member With(string name, string log, long position, string? before = null) =>
        Standby(name, position).Says(s => s with { History = log, PreviousHistory = before, Link = ReplicationLink.Down, LinkDownFor = Given.Seconds(9) });

    /// <summary>Of term 0 and before, which ended.</summary>
    private static FailoverRecord Began(long term, string? log, string? from) => Given.Ended(term, "db-1") is var f
        ? f with { Status = f.Status with { History = log, Origin = from is null ? null : new() { History = from, PositionBytes = 500 } } } : f;

    private static readonly FailoverRecord[] Nothing = [];
    private static readonly FailoverRecord[] FromLog0 = [Began(0, "log-1", "log-0")];

    public static TheoryData<string, FailoverRecord[], Member[], string> Elections => new()
    {
        { "log-1 was begun from log-0, that is written down", FromLog0, [With("db-1", "log-1", 900), With("db-2", "log-0", 500), With("db-3", "log-0", 400)], "db-1" },
        { "or one that has log-1 says so", Nothing, [With("db-1", "log-1", 900, "log-0"), With("db-2", "log-0", 500), With("db-3", "log-0", 400)], "db-1" },
        { "though these have more bytes", FromLog0, [With("db-1", "log-1", 900), With("db-2", "log-0", 5000), With("db-3", "log-0", 400)], "db-1" },
        { "nobody knows", Nothing, [With("db-1", "log-1", 900), With("db-2", "log-0", 500), With("db-3", "log-0", 400)], Reasons.QuorumNotHeard },
        { "from further back, as is written down and said", [Began(0, "log-1", "log-0")],
            [With("db-1", "log-1", 900), With("db-2", "log-0", 500, "log-00"), With("db-3", "log-00", 400)], "db-1" },
        { "what continued log-0 beside log-1 may be what the lost one began", FromLog0,
            [With("db-1", "log-1", 900), With("db-2", "log-0b", 500, "log-0"), With("db-3", "log-0", 400)], Reasons.QuorumNotHeard },
        { "it was written down in a term before, and later ones served", [Began(-1, "log-0b", "log-0"), Began(0, "log-1", "log-0")],
            [With("db-1", "log-1", 900), With("db-2", "log-0b", 500, "log-0"), With("db-3", "log-0", 400)], "db-1" },
        { "a term that was written down before and after", [Began(-1, "log-0b", "log-0"), Began(0, "log-1", "log-0"), Began(1, "log-0b", null)],
            [With("db-1", "log-1", 900), With("db-2", "log-0b", 500, "log-0"), With("db-3", "log-0", 400)], Reasons.QuorumNotHeard },
        { "who has log-1 misses what had been acknowledged", FromLog0, [With("db-1", "log-1", 899), With("db-2", "log-0", 5000), With("db-3", "log-0", 400)], Reasons.BeyondRpo },
        { "who has log-1 is not fit", FromLog0, [With("db-1", "log-1", 900).NotReady(9), With("db-2", "log-0", 5000), With("db-3", "log-0", 400)], Reasons.LagUnknown },
        { "one witness is silent", FromLog0, [With("db-1", "log-1", 900), With("db-2", "log-0", 500), With("db-3", "log-0", 400).Silent(9)], Reasons.QuorumNotHeard },
        { "or has lost its volume", FromLog0,
            [With("db-1", "log-1", 900), With("db-2", "log-0", 500), With("db-3", "log-0", 0).Says(s => s with { IsEmpty = true })], Reasons.QuorumNotHeard },
        { "or copies a new one", FromLog0,
            [With("db-1", "log-1", 900), With("db-2", "log-0", 500), With("db-3", "log-0", 400).Says(s => s with { Link = ReplicationLink.Syncing })], Reasons.QuorumNotHeard },
        { "whoever has what the lost one began goes first", FromLog0, [With("db-1", "log-1", 950), With("db-2", "log-2", 901, "log-1"), With("db-3", "log-0", 5000)], "db-2" },
    };

    [Theory]
    [MemberData(nameof(Elections), DisableDiscoveryEnumeration = true)]
    public void Who_surely_has_an_earlier_log_only_is_a_witness(string why, FailoverRecord[] written, Member[] standbys, string expected) => Assert.True(Chosen(written, standbys) == expected, why);

    /// <summary>By whose log it is told apart where it is known: it is the same then.</summary>
    [Theory]
    [InlineData(true, "db-1")]
    [InlineData(false, Reasons.QuorumNotHeard)]
    public void Of_a_log_that_was_seen_its_followers_say_what_it_continued(bool says, string expected)
    {
        var seen = Unseen with { History = "log-2", Origin = null, PrimaryPositionBytes = 1000, RequiredPositionBytes = 1000 };
        Member[] standbys = [With("db-1", "log-2", 950, says ? "log-1" : null), With("db-2", "log-1", 900), With("db-3", "log-1", 900)];
        Assert.Equal(expected, Chosen(Nothing, standbys, seen));
    }

    /// <summary>It is not the quorum that stands in its way then.</summary>
    [Fact]
    public void A_loss_that_a_person_accepts_is_still_the_least_that_there_is()
    {
        var group = Group([Primary().Unreachable(6), With("db-1", "log-1", 899), With("db-2", "log-0", 5000), With("db-3", "log-0", 400), Standby("db-4").Silent(9)]).Expired();
        group = group with { Failovers = [.. FromLog0, .. group.Failovers], AcceptedLosses = ["db-0-1"] };
        var candidate = Assert.IsType<Choice.Candidate>(LeaseElections.Replacement(group, Unseen, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true));
        Assert.Equal("db-1", candidate.Member.Name);
    }

    private static string Chosen(FailoverRecord[] written, Member[] standbys, Benchmark? benchmark = null)
    {
        var group = Group([Primary().Unreachable(6), .. standbys, Standby("db-4").Silent(9)]).Expired();
        group = group with { Failovers = [.. written.Concat(group.Failovers).OrderBy(f => f.Spec.Term)] };
        return LeaseElections.Replacement(group, benchmark ?? Unseen, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true) switch
        {
            Choice.Candidate(var member, _) => member.Name,
            Choice.Nobody(var reason, _) => reason,
            var choice => throw new InvalidOperationException($"{choice}"),
        };
    }

    /// <summary>
    /// Invariant I5 over any history: primaries that were promoted or not, seen or not, with volumes that are lost, logs that part and are taken back,
    /// and operators that forget. Whoever is chosen has every acknowledged write.
    /// </summary>
    [Fact]
    public void Whatever_happened_nobody_is_promoted_who_lacks_an_acknowledged_write()
    {
        var (chosen, waited) = (0, 0);
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var world = new LogWorld(seed);
            for (var terms = 0; terms < 8; terms++)
            {
                world.Pass();
                if ((world.Elect(all: false) ?? world.Elect(all: true)) is not { } name)
                {
                    Interlocked.Increment(ref waited);
                    break;
                }
                // Nobody has anything any more.
                if (!world.HasData(name)) break;
                if (world.Lacks(name) is { } lost) throw new InvalidOperationException($"{name} is chosen, and lacks {lost}; {world}");
                Interlocked.Increment(ref chosen);
                world.Appoint(name);
            }
        }, iter: 5_000);
        Assert.True(chosen > waited, $"{chosen} elections, {waited} waited for a person");
    }
}
