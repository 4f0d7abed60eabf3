using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>Invariant I3: unknown is no proof; the end of the lease is.</summary>
public sealed class LeaseFenceTests
{
    private static FenceProof? Proof(GroupObservation group, FailoverRecord? failover = null) => Fence.OfPrimary(group, failover ?? Running(FailoverPhase.Fencing));

    private static GroupObservation Dead() => Healthy().Change("db-0", m => m.Unreachable(6));

    private static GroupObservation Stripped() => Dead().Leased(l => l with { Accepted = null });

    private static Departure Departed() => Given.Departed(confirmed: true);

    public static TheoryData<string, GroupObservation> NoProofs => new()
    {
        { "healthy", Healthy() },
        { "silent, the lease not yet expired", Dead().Unchanged(4.999) },
        { "revoked just now", Dead().Revoked(4.999) },
        { "deleted just now", Dead().Deleted(4.999) },
        { "made anew just now", Dead().Revoked(0).Leased(l => l with { Accepted = l.Accepted! with { Members = [] } }) },
        { "forged just now", Dead().Forged(4.999) },
        { "what it had accepted was removed just now", Stripped().Unchanged(4.999) },
        { "released by somebody else", Dead().Released(by: "db-1") },
        { "released in an earlier term", Dead().Leased(l => l with { Release = new ReleaseNote(Identity("db-0"), 0, ReleaseReason.ProcessDown, null, null) }) },
        { "expired, but it says that it takes writes", Healthy().Expired() },
        { "released, but it said later that it takes writes", Healthy().Released(seconds: 0.2) },
        { "its server is another run, which its agent may promote", Healthy().Change("db-0", m => m.Says(s => s with { Instance = "server-2", Role = EngineRole.Standby, Writable = false })) },
        { "its pod has ended, but the lease is somebody else's", Healthy().Change("db-0", m => m.Phase(PodPhase.Failed)).Leased(l => Lease(Healthy(), "db-1", 1)) },
        { "its pod is gone, but the lease is deleted", Dead().Deleted(1).Without("db-0") with { Departures = [Departed()] } },
    };

    [Theory]
    [MemberData(nameof(NoProofs), DisableDiscoveryEnumeration = true)]
    public void Nothing_less_than_the_end_of_the_lease_or_of_its_holder_is_a_proof(string what, GroupObservation group) => Assert.True(Proof(group) is null, what);

    public static TheoryData<string, GroupObservation, FenceEvidence, string> Proofs => new()
    {
        { "released", Healthy().Released(), FenceEvidence.Released, "agent of db-0" },
        { "released after it was revoked", Dead().Revoked().Released(), FenceEvidence.Released, "agent of db-0" },
        { "expired", Dead().Expired(), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "expired long ago, and it said long ago that it takes writes", Healthy().Unchanged(60).Change("db-0", m => m.AskedAgo(2.1)), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "revoked for D", Dead().Revoked(5), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "deleted for D", Dead().Deleted(5), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "forged for D", Dead().Forged(5), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "what it had accepted was removed, and nothing changed for D", Stripped().Expired(), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "never claimed", Stripped().NeverServed(), FenceEvidence.LeaseExpired, "the lease, which nobody has claimed" },
        { "a note of somebody else's, for D", Dead().Released(by: "db-1", seconds: 5), FenceEvidence.LeaseExpired, "the operator's clock" },
        { "pod ended", Healthy().Change("db-0", m => m.Phase(PodPhase.Failed)), FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "pod gone", Dead().Without("db-0") with { Departures = [Departed()] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "pod gone, lease forged", Dead().Forged(1).Without("db-0") with { Departures = [Departed()] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "pod gone, lease revoked", Dead().Revoked(1).Without("db-0") with { Departures = [Departed()] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "container ended", Dead().Change("db-0", m => m.ContainerEnded()), FenceEvidence.ProcessEnded, "kubelet of node-0" },
        { "node out of service", Dead().Change("db-0", m => m.OnNode(NodeState.NotReady, outOfService: true)), FenceEvidence.NodeOutOfService, "taint on node node-0" },
    };

    [Theory]
    [MemberData(nameof(Proofs), DisableDiscoveryEnumeration = true)]
    public void The_end_of_the_lease_or_of_its_holder_is(string what, GroupObservation group, FenceEvidence evidence, string by)
    {
        Assert.True(Proof(group) == new FenceProof(evidence, by), $"{what}: {Proof(group)}");
    }

    [Fact]
    public void A_persons_word_and_a_job_count_unless_the_member_says_otherwise()
    {
        var confirmed = Running(FailoverPhase.Fencing) with { FenceConfirmedFor = "db-0" };
        var switchedOff = Running(FailoverPhase.Fencing) with { FencingJob = new JobObservation.Succeeded() };
        Assert.Equal(FenceEvidence.ConfirmedByPerson, Proof(Dead(), confirmed)!.Evidence);
        Assert.Equal(new FenceProof(FenceEvidence.JobSucceeded, "the Job of fencing.job for db-0-2"), Proof(Dead(), switchedOff));
        Assert.Null(Proof(Healthy(), confirmed));
        Assert.Null(Proof(Healthy(), switchedOff));
        Assert.Null(Proof(Dead(), Running(FailoverPhase.Fencing) with { FencingJob = new JobObservation.Running() }));
        Assert.Null(Proof(Dead(), Running(FailoverPhase.Fencing) with { FencingJob = new JobObservation.Failed("no power switch") }));
    }

    [Fact]
    public void A_job_counts_without_agents_too() =>
        Assert.Equal(FenceEvidence.JobSucceeded, Fence.OfPrimary(Given.Healthy().Change("db-0", m => m.Silent(9)), Running(FailoverPhase.Fencing) with { FencingJob = new JobObservation.Succeeded() })!.Evidence);

    /// <summary>The holder that the lease names may be an earlier one, whom nobody has fenced.</summary>
    [Fact]
    public void The_end_of_a_candidate_that_never_held_the_lease_proves_nothing()
    {
        var group = Group(Standby("db-1"), Standby("db-2")).Unchanged(1) with { Failovers = [Given.Ended(1, "db-0"), Chose(2, "db-1")] };
        var failover = Running(FailoverPhase.Fencing) is var f ? f with { Spec = f.Spec with { Term = 3, From = Given.Reference("db-1") } } : f;
        Assert.Null(Proof(group.Change("db-1", m => m.Phase(PodPhase.Failed)), failover));
        Assert.Equal(FenceEvidence.LeaseExpired, Proof(group.Expired(), failover)!.Evidence);
        Assert.Equal(new FenceProof(FenceEvidence.LeaseExpired, "the lease, which db-0 released before db-1 was given it"), Proof(group.Released(), failover) is var p ? p : null);
    }

    /// <summary>It was released before, and then given to one who has served since: whoever sees that is late.</summary>
    [Fact]
    public void An_old_lease_proves_nothing_of_a_later_holder()
    {
        var failover = Running(FailoverPhase.Fencing) is var f ? f with { Spec = f.Spec with { Term = 3, From = Given.Reference("db-1") } } : f;
        var late = Group(Standby("db-0"), Standby("db-1"), Standby("db-2")).Released() with { Failovers = [Given.Ended(1, "db-0"), Given.Ended(2, "db-1")] };
        Assert.Null(Proof(late, failover));
        Assert.Null(Proof(late.Leased(l => l with { Accepted = null, Release = null }), failover));
        Assert.Equal("the operator's clock", Proof(late.Unchanged(5), failover)!.By);
        Assert.Equal(Api.Reasons.LeaseForged, Assert.IsType<Core.Detection.Diagnosis.PrimarySuspected>(Core.Detection.PrimaryDetector.Diagnose(late)).Reason);
    }

    private static FailoverRecord Chose(long term, string who, FailoverPhase phase = FailoverPhase.Failed, FailoverPhase? reached = null) => Given.Ended(term, who) is var f
        ? f with { Status = f.Status with { Phase = phase, Steps = reached is { } step ? [new StepRecord { Phase = step }] : [] } }
        : f;

    private static string Holders(Func<LeaseRecord, LeaseRecord> change, params FailoverRecord[] failovers) =>
        string.Join(' ', LeaseFence.PossibleHolders(Healthy().Leased(change) with { Failovers = failovers }).Select(h => h.Name));

    private static LeaseRecord Anew(long term) => new() { Term = term, Accepted = new LeaseTerms() };

    [Fact]
    public void The_records_tell_who_may_hold_the_lease()
    {
        var records = new[] { Chose(1, "db-0", FailoverPhase.Completed), Chose(2, "db-1"), Chose(3, "db-2") };
        // Theirs alone: as it was given, released, or only emptied.
        Assert.Equal("db-1", Holders(_ => Lease(Healthy(), "db-1", 2), records));
        Assert.Equal("db-1", Holders(_ => Lease(Healthy(), "db-1", 2).Released(new ReleaseNote(Identity("db-1"), 2, ReleaseReason.HandOver, null, null)), records));
        Assert.Equal("db-2", Holders(_ => ElectorProtocol.Revoke(Lease(Healthy(), "db-2", 3)), records));
        // A term that nobody gave: all who came after the last that was seen to serve.
        Assert.Equal("db-0 db-1 db-2", Holders(l => l with { Term = 9 }, records));
        Assert.Equal("db-0 db-1 db-2", Holders(l => ElectorProtocol.Revoke(l) with { Term = 2 }, records));
        // Made anew: who had been given it by then.
        Assert.Equal("db-0 db-1 db-2", Holders(_ => Anew(3), records));
        Assert.Equal("db-2", Holders(_ => Anew(3), Chose(1, "db-0"), Chose(2, "db-1"), Chose(3, "db-2", FailoverPhase.Completed)));
        // Nobody remembers.
        Assert.Equal("", Holders(_ => Lease(Healthy(), "db-1", 5), records));
        Assert.Equal("", Holders(_ => Lease(Healthy(), "db-0", 2), records));
        Assert.Equal("", Holders(l => l));
    }

    /// <summary>Whatever somebody does to the lease afterwards.</summary>
    [Theory]
    [InlineData(FenceEvidence.Released, false)]
    [InlineData(FenceEvidence.PodTerminated, false)]
    [InlineData(FenceEvidence.LeaseExpired, true)]
    [InlineData(FenceEvidence.NodeOutOfService, true)]
    [InlineData(FenceEvidence.ProcessEnded, true)]
    [InlineData(FenceEvidence.Unproven, true)]
    public void An_end_that_is_written_down_and_cannot_be_undone_stays_proven(FenceEvidence evidence, bool mayWrite)
    {
        var (first, second, third) = (Chose(1, "db-0", FailoverPhase.Completed), Away(2, "db-0", "db-1", evidence), Away(3, "db-1", "db-2", null));
        Assert.Equal(mayWrite ? "db-0 db-1 db-2" : "db-1 db-2", Holders(_ => Anew(3), first, second, third));
        // It is the end of that term only: who was given the lease again has to end again. Of the same one the last time counts.
        Assert.Equal(mayWrite ? "db-0 db-1" : "db-1", Holders(_ => Anew(2), first, second));
        var again = Away(3, "db-1", "db-0", FenceEvidence.LeaseExpired);
        Assert.Equal("db-1 db-0", Holders(_ => Anew(3), first, second, again));
        Assert.Equal("db-1 db-0 db-2", Holders(_ => Anew(4), first, second, again, Away(4, "db-0", "db-2", FenceEvidence.LeaseExpired)));
        // A failover that chose nobody is the same failover away from the one before.
        Assert.Equal(mayWrite ? "db-0 db-2" : "db-2", Holders(_ => Anew(3), first, Away(2, "db-0", null, null), Away(3, "db-0", "db-2", evidence)));
    }

    private static FailoverRecord Away(long term, string from, string? to, FenceEvidence? evidence) => Chose(term, to ?? "db-9") is var f
        ? f with
        {
            Spec = f.Spec with { From = Given.Reference(from) },
            Status = f.Status with { Candidate = to is null ? null : f.Status.Candidate, Fence = evidence is { } proven ? new FenceRecord { Evidence = proven } : null },
        }
        : f;

    [Theory]
    [InlineData(FailoverPhase.Repointing, null, true)]
    [InlineData(FailoverPhase.Verifying, null, true)]
    [InlineData(FailoverPhase.Completed, null, true)]
    [InlineData(FailoverPhase.Failed, FailoverPhase.Repointing, true)]
    [InlineData(FailoverPhase.Failed, FailoverPhase.Promoting, false)]
    [InlineData(FailoverPhase.Promoting, null, false)]
    public void Who_got_as_far_as_the_traffic_had_claimed_the_lease(FailoverPhase phase, FailoverPhase? reached, bool served) =>
        Assert.Equal(served ? "db-1" : "db-0 db-1", Holders(_ => Anew(2), Chose(1, "db-0", FailoverPhase.Completed), Chose(2, "db-1", phase, reached)));
}
