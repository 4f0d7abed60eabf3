using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Invariant I4: unknown lag is not eligible.</summary>
public sealed class CandidatesTests
{
    public static TheoryData<CandidateOrder[], string[]> Mixtures => new()
    {
        { [CandidateOrder.LeastLag, CandidateOrder.Priority], ["db-3", "db-2", "db-1"] },
        { [CandidateOrder.Priority, CandidateOrder.LeastLag], ["db-1", "db-3", "db-2"] },
        { [CandidateOrder.Zone, CandidateOrder.Priority], ["db-1", "db-2", "db-3"] },
        { [CandidateOrder.Name], ["db-1", "db-2", "db-3"] },
    };

    [Theory]
    [MemberData(nameof(Mixtures))]
    public void The_first_difference_wins(CandidateOrder[] order, string[] expected)
    {
        var group = Given.Group(Given.Primary(), Given.Standby("db-1", 950), Given.Standby("db-2", 960), Given.Standby("db-3", 1000).InZone("zone-0"), Given.Standby("db-4"))
            .With(s => s with
            {
                Promotion = s.Promotion with
                {
                    CandidateOrder = order,
                    Priorities = [Wanted("db-1", 200), Wanted("db-4", 0), Wanted("not-there", 7)],
                },
            });
        Assert.Equal(expected, Candidates.Of(group, Benchmark.Of(group), Given.Seconds(2)).Ranked(group.Members).Select(m => m.Name));
        var never = Assert.IsType<Eligibility.Ineligible>(Candidates.Of(group, Benchmark.Of(group), Given.Seconds(2)).Judge(group.Members[4]));
        Assert.Equal("db-4 has priority 0 in promotion.priorities", never.Message);
    }

    [Fact]
    public void Priority_decides_between_equals_where_nothing_may_be_lost()
    {
        var group = GivenAgents.Healthy().With(s => s with { Promotion = s.Promotion with { Priorities = [Wanted("db-2", 101)] } });
        Assert.Equal(["db-2", "db-1"], Candidates.Of(group, Benchmark.Of(group), Given.Seconds(2)).Ranked(group.Members).Select(m => m.Name));
        // Not a write is given for it.
        group = group.Change("db-1", m => GivenAgents.Standby("db-1", 1001)).Released();
        Assert.Equal(["db-1"], Candidates.Of(group, Benchmark.Of(group), Given.Seconds(2), FenceEvidence.Released, atRest: true).Ranked(group.Members).Select(m => m.Name));
    }

    [Fact]
    public void Of_members_without_data_the_most_wanted_is_the_first_primary()
    {
        var group = Given.NewGroup(Given.Standby("db-0"), Given.Standby("db-1"), Given.Standby("db-2"));
        group = group.With(s => s with { Promotion = s.Promotion with { Priorities = [Wanted("db-0", 0), Wanted("db-2", 101)] } });
        Assert.Equal("db-2", Assert.IsType<Choice.Candidate>(Elections.First(group)).Member.Name);
        var agents = GivenAgents.NewGroup([.. group.Members.Select(m => m.Knows(0))]) with { Spec = GivenAgents.Spec with { Promotion = group.Spec.Promotion } };
        Assert.Equal("db-2", Assert.IsType<Choice.Candidate>(LeaseElections.First(agents)).Member.Name);
    }

    private static MemberPriority Wanted(string member, int priority) => new() { Member = member, Priority = priority };

    private static readonly Benchmark Known = new(Reference("db-0"), 1000, 900, Log);
    private static readonly Benchmark Unknown = new(Reference("db-0"), null, null, null);

    private static Eligibility Judge(Member member, Benchmark? benchmark = null) => new Candidates(Spec, benchmark ?? Known, Seconds(1)).Judge(member);

    public static TheoryData<string, Func<Member, Member>, string> Refusals => new()
    {
        { "is being deleted", m => m.Terminating(), Reasons.NoCandidate },
        { "phase Pending", m => m.Phase(PodPhase.Pending), Reasons.NoCandidate },
        { "is not ready", m => m.NotReady(0), Reasons.NoCandidate },
        { "which is Unknown", m => m.OnNode(NodeState.Unknown), Reasons.NoCandidate },
        { "which is NotReady", m => m.OnNode(NodeState.NotReady), Reasons.NoCandidate },
        { "rejects the operator's credentials", m => m.Unauthorized(), Reasons.CredentialsRejected },
        { "does not answer: no answer in 1 s", m => m.Silent(1), Reasons.MembersUnknown },
        { "does not answer: not asked yet", m => m.NotAsked(), Reasons.MembersUnknown },
        { "does not answer any more", m => m.AskedAgo(1.001), Reasons.MembersUnknown },
        { "answers wrongly: hook status answered nothing", m => m with { Probe = m.Probe with { Reply = new EngineReply.Failed("hook status answered nothing") } }, Reasons.EngineFailed },
        { "does not know its role", m => m.Says(s => s with { Role = EngineRole.Unknown }), Reasons.MembersUnknown },
        { "still copying", m => m.Says(s => s with { Link = ReplicationLink.Syncing, ReportedLagBytes = 0 }), Reasons.NoCandidate },
        { "another history", m => m.Says(s => s with { History = "log-9" }), Reasons.LagUnknown },
        { "misses more than the last 30 s of writes (1 bytes beyond)", m => m.Says(s => s with { PositionBytes = 899 }), Reasons.BeyondRpo },
    };

    [Theory]
    [MemberData(nameof(Refusals), DisableDiscoveryEnumeration = true)]
    public void Whoever_is_not_surely_fit_is_refused(string message, Func<Member, Member> change, string reason)
    {
        var refusal = Assert.IsType<Eligibility.Ineligible>(Judge(change(Standby("db-1"))));
        Assert.Equal(reason, refusal.Reason);
        Assert.Contains(message, refusal.Message);
    }

    [Fact]
    public void A_node_that_nobody_may_look_at_is_no_reason_to_refuse_anybody() =>
        Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-1").OnNode(NodeState.Unobserved).InZone(null)));

    [Fact]
    public void The_failed_primary_is_no_candidate_but_a_new_pod_of_its_name_may_be()
    {
        Assert.Contains("failed primary", Assert.IsType<Eligibility.Ineligible>(Judge(Primary())).Message);
        Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-0").Recreated()));
    }

    [Theory]
    [InlineData(1000L, 0L)]
    [InlineData(900L, 100L)]
    [InlineData(1200L, 0L)]
    public void Within_the_objective_the_lag_is_what_is_missing(long position, long lag) =>
        Assert.Equal(lag, Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-1", position))).LagBytes);

    [Theory]
    [InlineData(Log, null, true)]
    [InlineData("log-2", Log, true)]
    [InlineData("log-2", "log-9", false)]
    [InlineData(null, null, true)]
    public void A_log_that_continues_the_primarys_can_be_compared(string? history, string? previous, bool eligible) =>
        Assert.Equal(eligible, Judge(Standby("db-1").Says(s => s with { History = history, PreviousHistory = previous })) is Eligibility.Eligible);

    [Fact]
    public void An_engine_without_logs_is_compared_by_position() =>
        Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-1"), Known with { History = null }));

    [Theory]
    [InlineData(ReplicationLink.Up, null, true)]
    [InlineData(ReplicationLink.Down, 30.0, true)]
    [InlineData(ReplicationLink.Down, 30.1, false)]
    [InlineData(ReplicationLink.Down, null, false)]
    [InlineData(ReplicationLink.Unknown, null, false)]
    public void Without_the_primarys_position_the_time_of_the_link_bounds_the_loss(ReplicationLink link, double? downFor, bool eligible)
    {
        var verdict = Judge(Standby("db-1").Says(s => s with { Link = link, LinkDownFor = downFor is { } d ? Seconds(d) : null }), Unknown);
        if (eligible) Assert.Null(Assert.IsType<Eligibility.Eligible>(verdict).LagBytes);
        else Assert.Equal(Reasons.LagUnknown, Assert.IsType<Eligibility.Ineligible>(verdict).Reason);
    }

    /// <summary>What comes over its link is not the old primary's.</summary>
    [Theory]
    [InlineData("10.0.0.0", "10.0.0.0", true)]
    [InlineData("10.0.0.2", "10.0.0.0", false)]
    [InlineData(null, "10.0.0.0", true)]
    [InlineData("10.0.0.2", null, true)]
    public void A_link_to_somebody_else_says_nothing_about_the_loss(string? follows, string? address, bool eligible)
    {
        var benchmark = Unknown with { From = Unknown.From! with { Address = address } };
        foreach (var standby in new[] { Standby("db-1"), Standby("db-1").Says(s => s with { Link = ReplicationLink.Down, LinkDownFor = Seconds(1) }), Standby("db-1").Says(s => s with { ReportedLagBytes = 0 }) })
        {
            var verdict = Judge(standby.Says(s => s with { FollowsAddress = follows }), benchmark);
            Assert.Equal(eligible ? null : Reasons.LagUnknown, (verdict as Eligibility.Ineligible)?.Reason);
        }
    }

    [Fact]
    public void A_member_without_position_is_judged_by_time() =>
        Assert.Null(Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-1").Says(s => s with { PositionBytes = null }))).LagBytes);

    [Fact]
    public void An_engine_may_say_itself_that_it_misses_nothing()
    {
        Assert.Equal(0, Assert.IsType<Eligibility.Eligible>(Judge(Standby("db-1").Says(s => s with { ReportedLagBytes = 0, Link = ReplicationLink.Unknown }), Unknown)).LagBytes);
        Assert.IsType<Eligibility.Ineligible>(Judge(Standby("db-1").Says(s => s with { ReportedLagBytes = 1, Link = ReplicationLink.Unknown }), Unknown));
    }

    public static TheoryData<CandidateOrder[], string> Orders => new()
    {
        { [CandidateOrder.LeastLag], "db-4 db-2 db-3 db-1" },
        { [CandidateOrder.Name], "db-1 db-2 db-3 db-4" },
        { [CandidateOrder.Zone], "db-1 db-3 db-4 db-2" },
        { [CandidateOrder.Zone, CandidateOrder.LeastLag], "db-4 db-3 db-1 db-2" },
        { [CandidateOrder.LeastLag, CandidateOrder.Zone, CandidateOrder.Name], "db-4 db-3 db-2 db-1" },
    };

    [Theory]
    [MemberData(nameof(Orders), DisableDiscoveryEnumeration = true)]
    public void The_users_order_ranks_and_the_name_decides_last(CandidateOrder[] order, string expected)
    {
        var spec = Spec with { Promotion = new PromotionSpec { CandidateOrder = order } };
        Member[] members =
        [
            Standby("db-1").InZone(null).Says(s => s with { PositionBytes = null }),
            Standby("db-3", 950).InZone("zone-1"),
            Standby("db-2", 950).InZone("zone-0"),
            Standby("db-4", 999).InZone("zone-1"),
            Standby("db-5", 1),
        ];
        Assert.Equal(expected, string.Join(' ', new Candidates(spec, Known, Seconds(1)).Ranked(members).Select(m => m.Name)));
    }

    [Fact]
    public void Only_the_primarys_own_memory_is_a_benchmark()
    {
        Assert.Equal(Known, Benchmark.Of(Healthy()));
        Assert.Equal(new Benchmark(Reference("db-1") with { ContainerId = null }, null, null, null), Benchmark.Of(Healthy() with { Failovers = [Ended(1, "db-1")] }));
        Assert.Equal(Unknown with { From = Unknown.From! with { ContainerId = null } }, Benchmark.Of(Healthy() with { PrimaryMemory = null }));
        Assert.Equal(new Benchmark(null, null, null, null), Benchmark.Of(Healthy() with { Failovers = [] }));
        Assert.Equal(Known, Benchmark.Of(Running(FailoverPhase.Pending).Spec));
    }

    /// <summary>Or the one that timed out could only be waited for, although somebody else is as good.</summary>
    [Theory]
    [InlineData(1L, true)]
    [InlineData(2L, false)]
    public void A_holder_that_traffic_was_never_led_to_is_measured_as_the_primary_before_it(long publishedTerm, bool carried)
    {
        var timedOut = Running(FailoverPhase.Failed, candidate: "db-1") is var f ? f with { Status = f.Status with { Reason = Reasons.PromotionTimedOut } } : f;
        var group = Healthy().With(timedOut) with { Services = [Service("db-rw") with { PublishedTerm = publishedTerm }] };
        var expected = Reference("db-1") with { ContainerId = null };
        Assert.Equal(carried ? Known with { From = expected with { Address = Address("db-0") } } : new Benchmark(expected, null, null, null), Benchmark.Of(group));
    }

    [Fact]
    public void Without_a_Service_nobody_knows_whether_there_was_traffic()
    {
        var timedOut = Running(FailoverPhase.Failed, candidate: "db-1") is var f ? f with { Status = f.Status with { Reason = Reasons.PromotionTimedOut } } : f;
        Assert.Null(Benchmark.Of(Healthy().With(timedOut) with { Services = [] }).PrimaryPositionBytes);
    }
}
