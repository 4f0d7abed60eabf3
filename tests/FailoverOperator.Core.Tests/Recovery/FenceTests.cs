using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

/// <summary>Invariant I3: unknown is no proof.</summary>
public sealed class FenceTests
{
    private static FenceProof? Proof(GroupObservation group, string? confirmed = null) => Fence.Proof(group, Reference("db-0"), confirmed, Seconds(0.5));

    public static TheoryData<string, GroupObservation> NoProofs => new()
    {
        { "healthy", Healthy() },
        { "silent", Healthy().Change("db-0", m => m.Silent(600)) },
        { "refusing", Healthy().Change("db-0", m => m.Refused(99)) },
        { "says that it is a standby", Healthy().Change("db-0", m => m.Says(s => s with { Role = EngineRole.Standby, Writable = false })) },
        { "not ready", Healthy().Change("db-0", m => m.NotReady(600)) },
        { "being deleted", Healthy().Change("db-0", m => m.Terminating().Silent(600)) },
        { "node not ready", Healthy().Change("db-0", m => m.OnNode(NodeState.NotReady).Silent(600)) },
        { "node object gone", Healthy().Change("db-0", m => m.OnNode(NodeState.Absent).Silent(600)) },
        { "node unobserved", Healthy().Change("db-0", m => m.OnNode(NodeState.Unobserved, outOfService: true).Silent(600)) },
        { "tainted, yet the node is ready", Healthy().Change("db-0", m => m.OnNode(NodeState.Ready, outOfService: true).Silent(6)) },
        { "phase Failed set by somebody else than the kubelet", Healthy().Change("db-0", m => m.Phase(PodPhase.Failed, ended: false)) },
        { "phase Succeeded, containers not ended", Healthy().Change("db-0", m => m.Phase(PodPhase.Succeeded, ended: false)) },
        { "containers ended, but they will be restarted", Healthy().Change("db-0", m => m.Phase(PodPhase.Running).Silent(6)) },
        { "process ended, but a restarted one may write", Healthy().Change("db-0", m => m.ContainerEnded().Silent(6)) },
        { "another run says that it is a standby, before the fence was sought", Healthy().StartsReadOnly().Change("db-0", m => m.Says(s => s with { Instance = "server-2", Role = EngineRole.Standby, Writable = false }).AskedAgo(0.6)) },
        { "another run, which takes writes", Healthy().StartsReadOnly().Change("db-0", m => m.ContainerRestarted().Says(s => s with { Instance = "server-2" })) },
        { "gone, and nobody saw it go", Healthy().Without("db-0") },
        { "another pod of that name", Healthy().Change("db-0", m => m.Recreated()) },
        { "removed by force just now", Healthy().Without("db-0") with { Departures = [Departed(confirmed: false, 89.9)] } },
        { "removed by force from a node that is not ready", Healthy().Without("db-0") with { Departures = [Departed(confirmed: false, 900, NodeState.NotReady)] } },
        { "removed by force, node unknown", Healthy().Without("db-0") with { Departures = [Departed(false, 900) with { Node = null }] } },
        { "removed by force from a node that nobody may look at", Healthy().Without("db-0") with { Departures = [Departed(false, 900, NodeState.Unobserved, outOfService: true)] } },
        { "removed by force, tainted but ready", Healthy().Without("db-0") with { Departures = [Departed(false, 1, NodeState.Ready, outOfService: true)] } },
        { "somebody else left", Healthy().Without("db-0") with { Departures = [Departed(confirmed: true) with { Uid = "uid-db-9" }] } },
        { "left before, but that pod is there", Healthy() with { Departures = [Departed(confirmed: true)] } },
    };

    [Theory]
    [MemberData(nameof(NoProofs), DisableDiscoveryEnumeration = true)]
    public void What_only_looks_like_an_end_is_no_proof(string what, GroupObservation group) =>
        Assert.True(Proof(group) is null, what);

    public static TheoryData<string, GroupObservation, FenceEvidence, string> Proofs => new()
    {
        { "failed", Healthy().Change("db-0", m => m.Phase(PodPhase.Failed)), FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "succeeded", Healthy().Change("db-0", m => m.Phase(PodPhase.Succeeded)), FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "left, confirmed", Healthy().Without("db-0") with { Departures = [Departed(confirmed: true)] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "confirmed though its node went down then", Healthy().Without("db-0") with { Departures = [Departed(true, 1, NodeState.NotReady)] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "confirmed, and nobody may look at its node", Healthy().Without("db-0") with { Departures = [Departed(true, 0, NodeState.Unobserved)] }, FenceEvidence.PodTerminated, "kubelet of node-0" },
        { "tainted and down", Healthy().Change("db-0", m => m.OnNode(NodeState.NotReady, outOfService: true).Silent(6)), FenceEvidence.NodeOutOfService, "taint on node node-0" },
        { "left, tainted and down", Healthy().Without("db-0") with { Departures = [Departed(false, 1, NodeState.Unknown, outOfService: true)] }, FenceEvidence.NodeOutOfService, "taint on node node-0" },
        { "process ended, and the pod refuses", Healthy().StartsReadOnly().Change("db-0", m => m.ContainerEnded().Refused(1)), FenceEvidence.ProcessEnded, "kubelet of node-0" },
        { "process ended, and the pod is silent", Healthy().StartsReadOnly().Change("db-0", m => m.ContainerEnded().Silent(6)), FenceEvidence.ProcessEnded, "kubelet of node-0" },
        { "another run answers as a standby", Healthy().StartsReadOnly().Change("db-0", m => m.Says(s => s with { Instance = "server-2", Role = EngineRole.Standby, Writable = false })), FenceEvidence.ProcessEnded, "the next run of db-0" },
        { "process restarted, and says that it is a standby", Healthy().StartsReadOnly().Change("db-0", m => m.ContainerRestarted().Says(s => s with { Instance = "server-2", Role = EngineRole.Standby, Writable = false })), FenceEvidence.ProcessEnded, "kubelet of node-0" },
    };

    [Theory]
    [MemberData(nameof(Proofs), DisableDiscoveryEnumeration = true)]
    public void The_kubelets_word_and_a_persons_are_proof(string what, GroupObservation group, FenceEvidence evidence, string by)
    {
        var proof = Proof(group);
        Assert.True(proof?.Evidence == evidence, what);
        Assert.Contains(by, proof!.By);
    }

    [Fact]
    public void A_person_confirms_for_the_named_pod_only()
    {
        var down = Healthy().Change("db-0", m => m.OnNode(NodeState.NotReady).Silent(60));
        Assert.Equal(FenceEvidence.ConfirmedByPerson, Proof(down, "db-0")!.Evidence);
        Assert.Null(Proof(down, "db-1"));
        Assert.Null(Proof(down, ""));
        Assert.Null(Proof(Healthy(), "db-0"));
    }

    /// <summary>It may have been restarted and promoted again before the report of its end came.</summary>
    [Fact]
    public void The_end_of_a_container_is_no_proof_where_the_engine_tells_no_instance()
    {
        var ended = Healthy().StartsReadOnly().Change("db-0", m => m.ContainerEnded().Silent(6));
        Assert.Null(Fence.Proof(ended, Reference("db-0") with { Instance = null }, null, Seconds(0.5)));
    }

    /// <summary>A kubelet's report may be of the run before: only a container that surely is the process's own counts.</summary>
    [Fact]
    public void The_end_of_a_container_that_may_be_an_older_one_is_no_proof()
    {
        var ended = Healthy().StartsReadOnly().Change("db-0", m => m.ContainerEnded().Silent(6));
        Assert.Null(Fence.Proof(ended, Reference("db-0") with { ContainerId = null }, null, Seconds(0.5)));
    }
}
