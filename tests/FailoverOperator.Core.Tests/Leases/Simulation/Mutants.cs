using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>Protocols with one mistake each, which the simulation has to find.</summary>
internal static class Mutants
{
    /// <summary>The deadline counts from the acknowledgement instead of the sending.</summary>
    internal sealed class CountsFromAcknowledgement : HolderRules
    {
        public override AgentMemory Renewed(AgentMemory memory, Renewal sent, LeaseRecord lease, TimeSpan now)
        {
            var late = sent with { SentAt = now };
            return (memory with { Sent = late }).Renewed(late, lease, now);
        }
    }

    /// <summary>The lease is given back when the demotion begins, before the server is dead.</summary>
    internal sealed class ReleasesBeforeTheEnd : HolderRules
    {
        public override AgentMemory DemotionBegun(AgentMemory memory) => memory.Demoted(ReleaseReason.SelfFenced, null, null);
    }

    /// <summary>T_stop is longer than its limit by this.</summary>
    internal sealed class StopsLate(TimeSpan by) : HolderRules
    {
        public override AgentOrder Decide(AgentMemory memory, TimeSpan now)
        {
            var slack = memory.Tenure is { } tenure ? LeaseTimings.Of(tenure.Terms).Slack + by : TimeSpan.Zero;
            var order = base.Decide(memory, now - slack);
            return order is AgentOrder.Demote demote ? demote with { KillAt = demote.KillAt + slack } : order;
        }
    }

    /// <summary>A promise is given and not kept.</summary>
    internal sealed class ForgetsPromises : HolderRules
    {
        public override AcknowledgeOutcome Acknowledge(AgentMemory memory, AcknowledgeRequest request, TimeSpan now)
        {
            var outcome = base.Acknowledge(memory, request, now);
            if (outcome is not AcknowledgeOutcome.Granted(var promised)) return outcome;
            return new AcknowledgeOutcome.Granted(promised with { Pledge = memory.Pledge });
        }
    }

    /// <summary>What was promised before a restart is not reckoned with.</summary>
    internal sealed class ForgetsPromisesInRestarts : HolderRules
    {
        public override AgentOrder Decide(AgentMemory memory, TimeSpan now) =>
            base.Decide(memory with { StartedAt = TimeSpan.MinValue / 2 }, now);
    }

    /// <summary>A foreign holder is not noticed before the next renewal.</summary>
    internal sealed class LooksAwayUntilRenewal : HolderRules
    {
        public override AgentMemory Saw(AgentMemory memory, LeaseRecord? lease, TimeSpan now) =>
            memory.Tenure is not null && lease?.IsHeldBy(memory.Identity) != true ? memory : base.Saw(memory, lease, now);
    }

    /// <summary>An assignment is enough to be writable.</summary>
    internal sealed class ServesUnclaimed : HolderRules
    {
        public override AgentMemory Saw(AgentMemory memory, LeaseRecord? lease, TimeSpan now)
        {
            var seen = base.Saw(memory, lease, now);
            if (AgentProtocol.Decide(seen, now) is not AgentOrder.Claim(var term)) return seen;
            return seen with { Tenure = new Tenure(term, now, seen.Lease!.Terms) };
        }
    }

    /// <summary>Any holder is obeyed, whoever wrote it.</summary>
    internal sealed class ObeysAnybody : HolderRules
    {
        public override AgentMemory Saw(AgentMemory memory, LeaseRecord? lease, TimeSpan now) => base.Saw(memory, Believed(lease), now);

        public override AgentMemory Renewed(AgentMemory memory, Renewal sent, LeaseRecord lease, TimeSpan now) =>
            base.Renewed(memory, sent, Believed(lease)!, now);

        private static LeaseRecord? Believed(LeaseRecord? lease) =>
            lease?.Holder is { } holder ? lease with { Assignment = LeaseContract.Assignment(holder, lease.Term) } : lease;
    }

    /// <summary>A lower term than the highest is believed.</summary>
    internal sealed class BelievesLowerTerms : HolderRules
    {
        public override AgentMemory Saw(AgentMemory memory, LeaseRecord? lease, TimeSpan now) =>
            base.Saw(memory with { HighestTerm = 0 }, lease, now);
    }

    /// <summary>What was offered and not acknowledged is not kept: only the terms of the last acknowledged renewal are.</summary>
    internal sealed class KeepsAcknowledgedTermsOnly : HolderRules
    {
        public override AgentMemory Renewing(AgentMemory memory, LeaseTerms applied, TimeSpan now)
        {
            var sending = base.Renewing(memory, applied, now);
            return sending.Tenure is { } tenure ? sending with { Tenure = tenure with { Offered = null } } : sending;
        }
    }

    /// <summary>A promise lasts for the D that the promising member knows, not for the holder's.</summary>
    internal sealed class PromisesForItsOwnTime : HolderRules
    {
        public override AcknowledgeOutcome Acknowledge(AgentMemory memory, AcknowledgeRequest request, TimeSpan now) =>
            base.Acknowledge(memory, request with { LeaseDurationSeconds = 0 }, now);
    }

    /// <summary>Whoever is reached at an address answers for the member that had it.</summary>
    internal sealed class AnswersForOthers : HolderRules
    {
        public override AcknowledgeOutcome Acknowledge(AgentMemory memory, AcknowledgeRequest request, TimeSpan now) =>
            base.Acknowledge(memory, request with { Member = memory.Identity }, now);
    }

    /// <summary>A term that was given up is served all the same when a late answer allows it.</summary>
    internal sealed class TakesBackWhatItGave : HolderRules
    {
        public override AgentMemory Renewed(AgentMemory memory, Renewal sent, LeaseRecord lease, TimeSpan now) =>
            base.Renewed(memory with { ReleasedTerm = 0, Owed = null }, sent, lease, now);
    }

    /// <summary>D is counted by wall clocks, from the time that the holder wrote.</summary>
    internal sealed class CountsFromRenewTime : ElectorRules
    {
        public override TimeSpan UnchangedFor(ElectorView view) => view.RenewedAgo;
    }

    /// <summary>An operator that has just started takes the lease for as old as it can be.</summary>
    internal sealed class CountsFromBeforeItsStart : ElectorRules
    {
        public override TimeSpan UnchangedFor(ElectorView view) => view.IsFirst ? TimeSpan.MaxValue : base.UnchangedFor(view);
    }

    /// <summary>Anybody is assigned what has expired.</summary>
    internal sealed class AssignsWhoNeverPromised : ElectorRules
    {
        public override bool MayBeAssigned(LeaseRecord? lease, string uid, bool expired, IReadOnlySet<string> ended) => true;
    }

    /// <summary>Every release makes promises void, also that of a holder who had not claimed.</summary>
    internal sealed class KeepsEveryRelease : ElectorRules
    {
        public override LeaseRecord Assign(LeaseRecord? lease, bool expired, string holder, long term, LeaseTerms terms) =>
            base.Assign(lease, expired, holder, term, terms) with { Release = lease?.IsReleased == true ? lease.Release : null };
    }

    /// <summary>An old release stays when an expired lease is assigned.</summary>
    internal sealed class KeepsOldReleases : ElectorRules
    {
        public override LeaseRecord Assign(LeaseRecord? lease, bool expired, string holder, long term, LeaseTerms terms) =>
            base.Assign(lease, expired, holder, term, terms) with { Release = lease?.Release };
    }

    /// <summary>Who had promised is forgotten with the next assignment.</summary>
    internal sealed class ForgetsWhoPromised : ElectorRules
    {
        public override LeaseRecord Assign(LeaseRecord? lease, bool expired, string holder, long term, LeaseTerms terms) =>
            base.Assign(lease, expired, holder, term, terms) with { Pledged = null };
    }

    /// <summary>A lease that was deleted is made anew as if its holder lived by what is wanted now.</summary>
    internal sealed class RecreatesAsWanted : ElectorRules
    {
        public override LeaseRecord Recreate(long term, LeaseTerms terms) => base.Recreate(term, terms) with { Accepted = terms };
    }

    /// <summary>The D that is wanted counts, not the one that the holder lives by.</summary>
    internal sealed class CountsWantedDuration : ElectorRules
    {
        public override bool IsOver(LeaseObservation lease, LeaseTerms wanted) =>
            ElectorProtocol.IsOver(lease.Record, lease.UnchangedFor, LeaseTimings.Of(wanted).Duration);
    }
}
