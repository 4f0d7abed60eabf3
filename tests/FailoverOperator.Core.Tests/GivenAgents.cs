using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests;

/// <summary>
/// Groups with agents. Unless told otherwise: PostgreSQL that may lose nothing, db-0 holds the lease of term 1 and renewed it 0.4 s ago,
/// everybody knows.
/// </summary>
internal static class GivenAgents
{
    public static RedundancyGroupSpec Spec { get; } = Given.Spec with
    {
        Engine = new EngineSpec { Type = EngineType.PostgreSQL },
        Targets = new TargetsSpec { RpoSeconds = 0 },
        Agent = new AgentSpec { TokenSecretRef = new SecretKeyReference { Name = "db-token", Key = "token" } },
        Fencing = new FencingSpec { Policy = [FencingMethod.SelfFence, FencingMethod.PodTermination] },
    };

    public static string Identity(string name) => LeaseContract.Identity(name, Given.Uid(name));

    public static Member Primary(string name = "db-0", long term = 1) => Given.Primary(name).Knows(term) is var m ? m.Tells(a => a with { RenewedAgo = Given.Seconds(0.4) }) : null!;

    public static Member Standby(string name, long position = 1000, long term = 1) => Given.Standby(name, position).Knows(term);

    public static GroupObservation Group(params Member[] members)
    {
        var group = Given.Group(members) with { Spec = Spec };
        return group with { Lease = new LeaseObservation(Lease(group), Given.Seconds(0.4)) };
    }

    public static GroupObservation NewGroup(params Member[] members) =>
        Given.NewGroup(members) with { Spec = Spec, Lease = new LeaseObservation(null, Given.Seconds(60)) };

    public static GroupObservation Healthy() => Group(Primary(), Standby("db-1"), Standby("db-2"));

    /// <summary>As the operator gave it to <paramref name="holder"/>, who has accepted all of it.</summary>
    public static LeaseRecord Lease(GroupObservation group, string holder = "db-0", long term = 1)
    {
        var terms = LeasePlan.TermsFor(group);
        return new()
        {
            Holder = Identity(holder),
            Term = term,
            Assignment = LeaseContract.Assignment(Identity(holder), term),
            Terms = terms,
            Accepted = terms,
            Version = "7",
        };
    }

    /// <summary>The agents of it and of others are asked for less than everything.</summary>
    public static Member Knows(this Member member, long term) => member.Says(s => s with { Agent = new AgentFacts { Term = term, ProcessRuns = true } });

    public static Member Tells(this Member member, Func<AgentFacts, AgentFacts> change) => member.Says(s => s with { Agent = change(s.Agent!) });

    public static Member Acknowledges(this Member member, string holder, double ago, long term = 1) => member.Tells(a => a with
    {
        AcknowledgedHolder = Identity(holder),
        AcknowledgedTerm = term,
        AcknowledgedAgo = Given.Seconds(ago),
    });

    /// <summary>It cannot even be connected to.</summary>
    public static Member Unreachable(this Member member, double seconds) => member with
    {
        Probe = new ProbeObservation { Reply = new EngineReply.Silent("cannot be reached", Connected: false), Age = Given.Seconds(0.1), UnansweredFor = Given.Seconds(seconds) },
    };

    // ---- what may happen to the lease

    public static GroupObservation Leased(this GroupObservation group, Func<LeaseRecord, LeaseRecord?> change) =>
        group with { Lease = group.Lease! with { Record = change(group.Lease.Record!) } };

    public static GroupObservation Unchanged(this GroupObservation group, double seconds) =>
        group with { Lease = group.Lease! with { UnchangedFor = Given.Seconds(seconds) } };

    public static GroupObservation Expired(this GroupObservation group) => group.Unchanged(5);

    public static GroupObservation Released(this GroupObservation group, ReleaseReason reason = ReleaseReason.ProcessDown, string by = "db-0", double seconds = 0.1) =>
        group.Leased(l => l.Released(new ReleaseNote(Identity(by), l.Term, reason, 1000, "exit code 137"))).Unchanged(seconds);

    public static GroupObservation Revoked(this GroupObservation group, double seconds = 0.1) => group.Leased(ElectorProtocol.Revoke).Unchanged(seconds);

    public static GroupObservation Deleted(this GroupObservation group, double seconds = 0.1) => group.Leased(_ => null).Unchanged(seconds);

    /// <summary>Who was chosen before was lost on the way.</summary>
    public static GroupObservation NeverServed(this GroupObservation group) =>
        group with { Failovers = [.. group.Failovers.Select(f => f with { Status = f.Status with { Phase = FailoverPhase.Failed } })] };

    /// <summary>Its Services have published this term.</summary>
    public static GroupObservation Published(this GroupObservation group, long term, string pod) =>
        group with { Services = [.. group.Services.Select(s => s with { PublishedTerm = term, SelectedPod = pod })] };

    /// <summary>Somebody edited the holder.</summary>
    public static GroupObservation Forged(this GroupObservation group, double seconds = 0.1) => group.Leased(l => l with { Holder = Identity("db-2") }).Unchanged(seconds);

    public static GroupObservation Assigned(this GroupObservation group, string holder, long term, bool accepted = false) =>
        group.Leased(_ => Lease(group, holder, term) is var l && accepted ? l : l with { Accepted = null });

    // ---- a failover away from db-0

    public static FailoverRecord Running(FailoverPhase phase, double phaseFor = 0.5, string? candidate = null, FenceEvidence? fence = null, FailoverType type = FailoverType.Failover) =>
        Given.Running(phase, type, candidate, phaseFor) is var f
            ? f with
            {
                Spec = f.Spec with { Cause = FailoverCause.PrimaryProcessDown },
                Status = f.Status with { Fence = fence is { } evidence ? new FenceRecord { Evidence = evidence } : null },
            }
            : f;

    public static Core.Decisions.Decision Next(GroupObservation group, FailoverRecord failover) => FailoverProcedure.Next(group.With(failover), failover);
}
