using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>
/// db-0 was promoted from log-1, which it had up to 900, began log-2 with it, took writes, and is lost for good. The others may have come to
/// log-2 or not.
/// </summary>
public sealed class OriginTests
{
    private static readonly LogPoint Origin = new() { History = "log-1", PositionBytes = 900 };
    private static readonly Benchmark Lost = new(Given.Reference("db-0"), 1000, 1000, "log-2") { Origin = Origin };

    private static Member Before(string name, long position) =>
        Standby(name, position).Says(s => s with { History = "log-1", Link = ReplicationLink.Down, LinkDownFor = Given.Seconds(9) });

    private static Member After(string name, long position) => Standby(name, position).Says(s => s with { History = "log-2", PreviousHistory = "log-1" });

    private static Member Alien(string name, long position) => Standby(name, position).Says(s => s with { History = "log-0" });

    private static string Chosen(Benchmark benchmark, params Member[] standbys) =>
        Choose(Group([Primary().Unreachable(6), .. standbys]).Expired(), benchmark) is var choice && choice is Choice.Candidate(var member, _)
            ? member.Name
            : ((Choice.Nobody)choice).Reason;

    private static Choice Choose(GroupObservation group, Benchmark benchmark) =>
        LeaseElections.Replacement(group, benchmark, Given.Seconds(1), FenceEvidence.LeaseExpired, atRest: true);

    public static TheoryData<string, Member[], string> Elections => new()
    {
        { "nobody has anything of the lost log: there is nothing acknowledged in it", [Before("db-1", 900), Before("db-2", 950)], "db-2" },
        { "the newer log goes first, whatever the bytes", [Before("db-1", 2000), After("db-2", 950)], "db-2" },
        { "who lags in the log before is a witness all the same", [Before("db-1", 100), After("db-2", 950)], "db-2" },
        { "a write in the lost log may be with who is silent", [Before("db-1", 900), After("db-2", 950).Silent(9)], Reasons.QuorumNotHeard },
        { "or with who tells no position", [Before("db-1", 900), After("db-2", 950).Says(s => s with { PositionBytes = null })], Reasons.QuorumNotHeard },
        { "or with who tells another story", [Before("db-1", 900), Alien("db-2", 950)], Reasons.QuorumNotHeard },
        { "or it had been acknowledged before that log began", [Before("db-1", 899), Before("db-2", 100)], Reasons.BeyondRpo },
        { "who has more and is not fit is waited for", [Before("db-1", 950), After("db-2", 901).NotReady(9)], Reasons.BeyondRpo },
    };

    [Theory]
    [MemberData(nameof(Elections), DisableDiscoveryEnumeration = true)]
    public void Whoever_has_the_log_before_may_follow_if_nothing_was_acknowledged_since(string why, Member[] standbys, string expected) =>
        Assert.True(Chosen(Lost, standbys) == expected, why);

    /// <summary>log-1 was begun in term 2 from log-0: a member that has come no further has nothing that was acknowledged since, and is no candidate.</summary>
    [Fact]
    public void Who_lags_in_a_log_before_that_one_is_a_witness_too()
    {
        static FailoverRecord Began(long term, string history, string before) => Given.Ended(term, "db-2") is var f
            ? f with { Status = f.Status with { History = history, Origin = new() { History = before, PositionBytes = 500 } } } : f;
        string Remembering(IEnumerable<FailoverRecord> failovers, params Member[] standbys) =>
            Choose(Group([Primary().Unreachable(6), .. standbys]).Expired() is var g ? g with { Failovers = [.. failovers, .. g.Failovers] } : g, Lost) switch
            {
                Choice.Candidate(var member, _) => member.Name,
                Choice.Nobody(var reason, _) => reason,
                var choice => throw new InvalidOperationException($"{choice}"),
            };
        FailoverRecord[] known = [Began(-1, "log-0", "log-00"), Began(0, "log-1", "log-0")];

        Assert.Equal("db-2", Remembering(known, Alien("db-1", 2000), After("db-2", 950)));
        Assert.Equal("db-2", Remembering(known, Alien("db-1", 2000).Says(s => s with { History = "log-00" }), After("db-2", 950)));
        Assert.Equal("db-2", Remembering(known, Alien("db-1", 2000), Before("db-2", 900)));
        Assert.Equal(Reasons.BeyondRpo, Remembering(known, Alien("db-1", 2000), Before("db-2", 899)));
        Assert.Equal(Reasons.LagUnknown, Remembering(known, Alien("db-1", 2000), Alien("db-2", 950)));
        Assert.Equal(Reasons.QuorumNotHeard, Remembering(known, Alien("db-1", 2000).Says(s => s with { History = "log-9" }), After("db-2", 950)));
        // Not by whom log-1 was begun, but by somebody in a term before.
        Assert.Equal("db-2", Remembering([Began(0, "log-8", "log-0")], Alien("db-1", 2000), After("db-2", 950)));
        Assert.Equal(Reasons.QuorumNotHeard, Remembering([Began(0, "log-8", "log-7")], Alien("db-1", 2000), After("db-2", 950)));
        Assert.Equal(Reasons.QuorumNotHeard, Remembering([], Alien("db-1", 2000), After("db-2", 950)));
    }

    /// <summary>
    /// Term 0 began log-1b from log-1, too, and nobody followed it: its old primary is back with it, and has nothing of what db-0 wrote in term 1.
    /// </summary>
    [Theory]
    [InlineData(0, FailoverPhase.Failed, true, 900, "db-2")]
    [InlineData(0, FailoverPhase.Completed, true, 900, "db-2")]
    [InlineData(0, FailoverPhase.Failed, true, 899, Reasons.BeyondRpo)] // nor is it one to be promoted itself
    [InlineData(0, FailoverPhase.Failed, false, 900, Reasons.QuorumNotHeard)] // nobody was seen to serve since
    [InlineData(2, FailoverPhase.Failed, true, 900, Reasons.QuorumNotHeard)] // a later one
    public void Who_has_a_log_that_nobody_continued_is_a_witness_too(long term, FailoverPhase phase, bool served, long position, string expected)
    {
        var abandoned = Given.Ended(term, "db-1") is var f ? f with { Status = f.Status with { Phase = phase, History = "log-1b", Origin = Origin } } : f;
        var group = Group(Primary().Unreachable(6), Standby("db-1", 2000).Says(s => s with { History = "log-1b", PreviousHistory = "log-1" }), Before("db-2", position)).Expired();
        group = group with { Failovers = [.. group.Failovers.Append(abandoned).OrderBy(r => r.Spec.Term)] };
        var choice = Choose(served ? group : group.NeverServed(), Lost);
        Assert.Equal(expected, choice is Choice.Candidate(var member, _) ? member.Name : ((Choice.Nobody)choice).Reason);
    }

    /// <summary>Of a primary that no operator has seen at work only what was written down before its promotion is known.</summary>
    [Theory]
    [MemberData(nameof(Elections), DisableDiscoveryEnumeration = true)]
    public void The_same_if_nobody_has_seen_the_lost_log(string why, Member[] standbys, string expected)
    {
        if (standbys.Any(m => m.Probe.Status?.History == "log-0")) return;
        Assert.True(Chosen(Lost with { PrimaryPositionBytes = null, RequiredPositionBytes = null, History = null }, standbys) == expected, why);
    }

    [Fact]
    public void Then_a_log_that_has_nothing_to_do_with_it_is_an_old_story()
    {
        var unseen = Lost with { History = null };
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(unseen, Alien("db-1", 2000), After("db-2", 950)));
        // Nor is it better than the log that the lost one began from, whoever else has come to follow that.
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(unseen, Alien("db-1", 2000), Before("db-2", 950)));
        var later = Standby("db-2", 950).Says(s => s with { History = "log-0b", PreviousHistory = "log-0" });
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(unseen, Alien("db-1", 2000), later));
        var restarted = Standby("db-1", 960).Says(s => s with { History = "log-3", PreviousHistory = "log-2" });
        Assert.Equal("db-1", Chosen(unseen, restarted, After("db-2", 950)));
    }

    [Fact]
    public void Without_knowing_what_it_began_from_nobody_is_chosen() =>
        Assert.Equal(Reasons.QuorumNotHeard, Chosen(Lost with { Origin = null }, Before("db-1", 900), Before("db-2", 950)));

    [Fact]
    public void What_the_lost_log_had_beyond_is_told_as_the_loss() => Assert.Equal(
        100L, Assert.IsType<Choice.Candidate>(Choose(Group(Primary().Unreachable(6), Before("db-1", 950), Before("db-2", 900)).Expired(), Lost)).LagBytes);

    /// <summary>
    /// Invariant I5, for any group: every write that was acknowledged in either log is in whoever is chosen. The members' states are any that the
    /// protocol allows, and any of them are heard.
    /// </summary>
    [Fact]
    public void No_acknowledged_write_is_lost() =>
        Gen.Select(Gen.Int[2, 5], Gen.Int[0, 900], Gen.Int[0, 3], Gen.Int[0, 100], Gen.Int[0, 1_000_000_000]).Sample((n, acknowledgedBefore, extra, tail, seed) =>
        {
            var (random, w) = (new Random(seed), Math.Max(1, n / 2) + 1);
            // In the lost log: nothing acknowledged (-1), or up to there.
            long acknowledgedAfter = random.Next(2) == 0 ? -1 : 901 + tail;
            var standbys = Enumerable.Range(1, n - 1).OrderBy(_ => random.Next()).Select((number, place) =>
            {
                var name = $"db-{number}";
                if (acknowledgedAfter >= 0 && place < w - 1) return After(name, acknowledgedAfter + random.Next(50));
                // One of those that had acknowledged the writes before is the lost primary itself.
                if (place < w - 1) return Before(name, acknowledgedBefore + random.Next(200));
                // Too few to acknowledge anything, and not further than the lost primary had sent: but as far as it likes.
                return random.Next(3) == 0 && (acknowledgedAfter >= 0 || extra > 0 && place == n - 2 && w > 2) ? After(name, 900 + random.Next(200)) : Before(name, random.Next(1200));
            }).Select(m => random.Next(4) == 0 ? m.Silent(9) : m).OrderBy(m => m.Name).ToArray();
            var benchmark = random.Next(2) == 0 ? Lost : Lost with { History = null };
            var chosen = Choose(Group([Primary().Unreachable(6), .. standbys]).Expired(), benchmark) as Choice.Candidate;
            return chosen?.Member.Probe.Status is not { } status
                || (status.History == "log-2" ? status.PositionBytes >= acknowledgedAfter : acknowledgedAfter < 0 && status.PositionBytes >= acknowledgedBefore);
        });

    // ---- groups that may lose something

    [Theory]
    [InlineData(890, 29, "db-1")]
    [InlineData(890, 31, Reasons.LagUnknown)]
    [InlineData(850, 29, "db-1")]
    public void Without_synchronous_standbys_it_is_what_was_written_since(long required, double downFor, string expected)
    {
        var member = Before("db-1", 860).Says(s => s with { LinkDownFor = Given.Seconds(downFor) });
        var spec = GivenAgents.Spec with { Targets = new TargetsSpec { RpoSeconds = 30 } };
        Assert.Equal(expected, new Candidates(spec, Lost with { RequiredPositionBytes = required }, Given.Seconds(1)).Judge(member) switch
        {
            Eligibility.Eligible => "db-1",
            Eligibility.Ineligible(var reason, _) => reason,
            var verdict => throw new InvalidOperationException($"{verdict}"),
        });
    }

    /// <summary>
    /// db-1 was the primary before db-0 and has not come to follow it. Whether this operator has seen db-0 at work or not: an operator that was
    /// started anew knows no more than its agent tells.
    /// </summary>
    [Theory]
    [InlineData(EngineType.PostgreSQL, 900L, 29.8, 30, true)]
    [InlineData(EngineType.PostgreSQL, 900L, 30.0, 30, false)] // 0.1 s old is what it told
    [InlineData(EngineType.PostgreSQL, 900L, null, 30, false)]
    [InlineData(EngineType.PostgreSQL, 899L, 1.0, 30, false)]
    [InlineData(EngineType.Redis, 900L, 1.0, 30, false)] // which may have forgotten what it had
    [InlineData(EngineType.PostgreSQL, 900L, 1.0, 0, false)]
    public void An_old_primary_that_followed_nobody_since_lacks_what_was_written_since(EngineType engine, long position, double? ago, int rpo, bool isEligible)
    {
        var spec = GivenAgents.Spec with { Engine = new EngineSpec { Type = engine }, Targets = new TargetsSpec { RpoSeconds = rpo } };
        var member = Before("db-1", position).Says(s => s with { LinkDownFor = null }).Tells(a => a with { ServedAgo = ago is { } seconds ? Given.Seconds(seconds) : null });
        foreach (var benchmark in new[] { Lost with { RequiredPositionBytes = 950 }, Lost with { PrimaryPositionBytes = null, RequiredPositionBytes = null } })
            Assert.Equal(isEligible, new Candidates(spec, benchmark, Given.Seconds(1)).Judge(member) is Eligibility.Eligible);
    }

    /// <summary>What the log before has beyond the point where the lost one began is not the lost one's.</summary>
    [Fact]
    public void Bytes_beyond_the_origin_do_not_count()
    {
        var spec = GivenAgents.Spec with { Targets = new TargetsSpec { RpoSeconds = 30 } };
        var member = Before("db-1", 5000).Says(s => s with { LinkDownFor = Given.Seconds(31) });
        Assert.IsType<Eligibility.Ineligible>(new Candidates(spec, Lost with { RequiredPositionBytes = 901 }, Given.Seconds(1)).Judge(member));
        Assert.IsType<Eligibility.Eligible>(new Candidates(spec, Lost with { RequiredPositionBytes = 900 }, Given.Seconds(1)).Judge(member));
        Assert.IsType<Eligibility.Ineligible>(new Candidates(spec, Lost with { RequiredPositionBytes = 901 }, Given.Seconds(1)).Judge(
            member.Says(s => s with { Link = ReplicationLink.Up, LinkDownFor = null })));
    }

    // ---- where it is known from

    private static FailoverRecord Promoted(FailoverPhase phase = FailoverPhase.Completed, string? history = null) =>
        Given.Running(phase, candidate: "db-1") is var f ? f with { Status = f.Status with { Origin = Origin, History = history } } : f;

    [Fact]
    public void The_old_primarys_failover_tells_what_its_log_began_from()
    {
        var group = Healthy().With(Promoted());
        Assert.Equal(Origin, Benchmark.Of(group with { PrimaryMemory = group.PrimaryMemory! with { Uid = Given.Uid("db-1") } }).Origin);
        Assert.Equal(Origin, Benchmark.Of(group).Origin);
        Assert.Equal(Lost, Benchmark.Of(Given.Running(FailoverPhase.Electing).Spec with
        {
            PrimaryHistory = "log-2",
            PrimaryOrigin = Origin,
            RequiredPositionBytes = 1000,
        }));
    }

    [Fact]
    public void And_what_its_log_is_if_this_operator_has_not_seen_it()
    {
        var group = Healthy().With(Promoted(history: "log-2"));
        Assert.Equal("log-2", Benchmark.Of(group).History);
        // Nobody knows how often.
        Assert.Null(Benchmark.Of(group.With(s => s with { Detection = s.Detection with { OnProcessCrash = OnProcessCrash.RestartFirst } })).History);
    }

    [Theory]
    [InlineData(1L, null)]
    [InlineData(2L, Given.Log)]
    [InlineData(null, Given.Log)]
    public void What_is_remembered_of_a_pod_from_an_earlier_term_is_an_old_story(long? term, string? expected)
    {
        var group = Healthy().With(Promoted());
        var memory = group.PrimaryMemory! with { Uid = Given.Uid("db-1"), Term = term };
        Assert.Equal(expected, Benchmark.Of(group with { PrimaryMemory = memory }).History);
    }

    /// <summary>It was chosen because nothing had been acknowledged in the log after it.</summary>
    [Fact]
    public void After_one_that_was_chosen_from_the_log_before_and_never_served_that_log_counts()
    {
        var never = Promoted(FailoverPhase.Failed) is var f ? f with
        {
            Spec = f.Spec with { PrimaryHistory = "log-2", PrimaryOrigin = Origin },
            Status = f.Status with { Reason = Reasons.CandidateLost, Origin = Origin with { PositionBytes = 950 } },
        } : f;
        var benchmark = Benchmark.Of(Healthy().With(never));
        Assert.Equal(("log-1", Origin), (benchmark.History, benchmark.Origin));
        var sibling = Standby("db-2", 990).Says(s => s with { History = "log-3", PreviousHistory = "log-1" });
        Assert.Equal("db-2", Chosen(benchmark with { From = Given.Reference("db-0") }, Before("db-1", 950), sibling));
        Assert.Equal(Reasons.BeyondRpo, Chosen(benchmark with { From = Given.Reference("db-0") }, Before("db-1", 890), Before("db-2", 899)));
        var other = never with { Status = never.Status with { Origin = Origin with { History = "log-2" } } };
        Assert.Equal("log-2", Benchmark.Of(Healthy().With(other)).History);
    }
}
