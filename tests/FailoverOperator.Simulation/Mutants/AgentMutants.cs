using System.Runtime.CompilerServices;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Watchdogs;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Agents with one mistake each.</summary>
internal static class AgentMutants
{
    /// <summary>A renewal that was not answered counts as acknowledged.</summary>
    internal sealed class TakesSilenceForAcknowledgement : Seams
    {
        public override ILeaseApi LeaseApi(ILeaseApi real, Container container) => new Lease(real, container);

        private sealed class Lease(ILeaseApi real, Container container) : LeaseDecorator(real)
        {
            public override async Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), container.Agent.Process.Time);
                try
                {
                    return await Real.RenewAsync(read, accepted, patience.Token) is var reply and not LeaseReply.Failed
                        ? reply
                        : new LeaseReply.Found(read.Renewed(accepted));
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    return new LeaseReply.Found(read.Renewed(accepted));
                }
            }
        }
    }

    /// <summary>The lease is given back when the demotion begins, and the server goes on.</summary>
    internal sealed class ReleasesBeforeTheEnd : Seams
    {
        public override IMemberServer MemberServer(IMemberServer real, Container container) => new Server(real, container);

        private sealed class Server(IMemberServer real, Container container) : ServerDecorator(real)
        {
            public override Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken)
            {
                if (container.Server.Run is { HasEnded: false } run) run.After(TimeSpan.FromSeconds(3), () => run.End(0));
                return Task.FromResult<EngineOutcome>(new EngineOutcome.Done());
            }
        }
    }

    /// <summary>Writes are acknowledged before another member has them.</summary>
    internal sealed class WaitsForNoStandby : Seams
    {
        public override IMemberServer MemberServer(IMemberServer real, Container container) => new Server(real);

        private sealed class Server(IMemberServer real) : ServerDecorator(real)
        {
            public override Task<EngineOutcome> ServeAsync(
                long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) =>
                Real.ServeAsync(term, terms with { SynchronousStandbys = 0 }, floor, beforeWritable, cancellationToken);
        }
    }

    /// <summary>A new primary is told whom to wait for only a while after it takes writes.</summary>
    internal sealed class WaitsForStandbysTooLate : Seams
    {
        public override IMemberServer MemberServer(IMemberServer real, Container container) => new Server(real, container);

        private sealed class Server(IMemberServer real, Container container) : ServerDecorator(real)
        {
            private long _served;

            public override async Task<EngineOutcome> ServeAsync(
                long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken)
            {
                var isNew = _served != term;
                var outcome = await Real.ServeAsync(term, isNew ? terms with { SynchronousStandbys = 0 } : terms, floor, beforeWritable, cancellationToken);
                if (!isNew || outcome is not EngineOutcome.Done) return outcome;
                _served = term;
                await Task.Delay(TimeSpan.FromSeconds(2), container.Agent.Process.Time, cancellationToken);
                return await Real.ServeAsync(term, terms, floor, beforeWritable, cancellationToken);
            }
        }
    }

    /// <summary>A log that was lost, and one that is begun in its place, have the same name.</summary>
    internal sealed class ReusesTimelines : Seams
    {
        public override IMemberServer MemberServer(IMemberServer real, Container container) => new Server(real);

        private sealed class Server(IMemberServer real) : ServerDecorator(real)
        {
            public override Task<EngineOutcome> ServeAsync(
                long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) =>
                Real.ServeAsync(term, terms, null, beforeWritable, cancellationToken);
        }
    }

    /// <summary>A member that does not answer counts as one that has promised.</summary>
    internal sealed class TakesSilenceForPromises : Seams
    {
        public override IPeers Peers(IPeers real, Container container) => new Others(real, container);

        private sealed class Others(IPeers real, Container container) : IPeers
        {
            public async Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), container.Agent.Process.Time);
                try
                {
                    return await real.AcknowledgeAsync(member, request, patience.Token) ?? new AcknowledgeReply(true, null);
                }
                catch (OperationCanceledException)
                {
                    return new AcknowledgeReply(true, null);
                }
            }
        }
    }

    /// <summary>One promise is enough.</summary>
    internal sealed class AsksOneMemberOnly : Seams
    {
        public override IPeers Peers(IPeers real, Container container) => new Others(real);

        private sealed class Others(IPeers real) : IPeers
        {
            public Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken) =>
                member.Name.EndsWith('0') ? real.AcknowledgeAsync(
                    member, request, cancellationToken) : Task.FromResult<AcknowledgeReply?>(new AcknowledgeReply(true, null));
        }
    }

    /// <summary>An agent that stands still is not watched.</summary>
    internal sealed class HasNoWatchdog : Seams
    {
        public override IWatchdog Watchdog(IWatchdog real, Container container) => new Nobody();

        private sealed class Nobody : IWatchdog
        {
            public void Guard(TimeSpan? killAt)
            {
            }
        }
    }

    /// <summary>A member whose log has parted from the leader's is left as it is.</summary>
    internal sealed class NeverRewinds : Seams
    {
        public override IMemberServer MemberServer(IMemberServer real, Container container) => new Server(real, container);

        private sealed class Server(IMemberServer real, Container container) : ServerDecorator(real)
        {
            public override Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken)
            {
                if (container.Server.Run is not { State: RunState.Standby } run) return Real.FollowAsync(leader, cancellationToken);
                run.Standby.Follow(leader.Address);
                return Task.FromResult<EngineOutcome>(new EngineOutcome.Done());
            }
        }
    }

    /// <summary>The holder stops to be writable later than it should.</summary>
    internal sealed class StopsLate(double factor) : Seams
    {
        public override NodeClock AgentClock(NodeClock real) => real.Times(factor);
    }

    /// <summary>A foreign holder is not noticed by the watch.</summary>
    internal sealed class DoesNotWatch : Seams
    {
        public override ILeaseApi LeaseApi(ILeaseApi real, Container container) => new Lease(real, container);

        private sealed class Lease(ILeaseApi real, Container container) : LeaseDecorator(real)
        {
            public override async IAsyncEnumerable<LeaseRecord?> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
            {
                await foreach (var lease in Real.WatchAsync(cancellationToken))
                {
                    if (container.Agent.State.Memory.Tenure is null) yield return lease;
                }
            }

            /// <summary>Nor by a conflict.</summary>
            public override async Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken) =>
                await Real.RenewAsync(read, accepted, cancellationToken) switch
                {
                    LeaseReply.Conflict when container.Agent.State.Memory.Tenure is not null => new LeaseReply.Found(read.Renewed(accepted)),
                    var reply => reply,
                };
        }
    }
}
