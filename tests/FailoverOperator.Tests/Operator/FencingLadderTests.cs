using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>The ways to fence beyond the member itself, on a node that has lost power.</summary>
public class FencingLadderTests
{
    private const string OutOfService = "node.kubernetes.io/out-of-service";

    [Fact]
    public void A_Job_that_succeeds_is_the_proof()
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.Job);
        CutPower(world);
        world.Until(() => Job(world) is not null, "the Job is created");
        Assert.Equal("db-0-2", Job(world)!.Metadata.OwnerReferences[0].Name);
        world.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(FailoverPhase.Fencing, world.Failovers[^1].Status!.Phase);

        End(world, "Complete");
        world.Until(() => world.Failovers[^1].Status!.Phase == FailoverPhase.Completed, "another one takes over", TimeSpan.FromSeconds(2));
        Assert.Equal(FenceEvidence.JobSucceeded, world.Failovers[^1].Status!.Fence!.Evidence);
    }

    [Fact]
    public void A_Job_that_fails_proves_nothing_and_is_named()
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.Job);
        CutPower(world);
        world.Until(() => Job(world) is not null, "the Job is created");
        End(world, "Failed");
        world.Until(() => world.Condition("Progressing") == "False FenceUnproven", "it is blocked");
        Assert.Contains("Job db-0-2-fence failed: no answer", world.Failovers[^1].Status!.Message);
        world.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(FailoverPhase.Fencing, world.Failovers[^1].Status!.Phase);
        Assert.Single(world.Api.PeekAll<V1Job>());
    }

    [Fact]
    public void An_operator_that_is_killed_while_the_Job_runs_is_followed_by_one_that_waits_for_the_same_Job()
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.Job);
        CutPower(world);
        world.Until(() => Job(world) is not null, "the Job is created");
        world.KillOperator();
        End(world, "Complete");
        world.StartOperator();
        world.Until(() => world.Failovers[^1].Status!.Phase == FailoverPhase.Completed, "another one takes over", TimeSpan.FromSeconds(10));
        Assert.Single(world.Api.PeekAll<V1Job>());
    }

    [Theory]
    [InlineData(ApiFailure.Forbidden, "install the chart with fencing.jobs: true")]
    [InlineData(ApiFailure.Invalid, "refuses the Job of fencing.job")]
    public void A_Job_that_may_not_be_created_is_passed_over_and_says_why(ApiFailure failure, string message)
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.Job);
        world.Operator.Api.Faults.FailNext(failure, c => c is { Verb: "create", Kind: "Job" }, times: int.MaxValue);
        CutPower(world);
        world.Until(() => world.Condition("Progressing") == "False FenceUnproven", "it is blocked");
        Assert.Contains(message, world.Failovers[^1].Status!.Message);
    }

    [Fact]
    public void A_node_that_is_proven_down_is_tainted_and_its_taint_is_the_proof()
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.NodeOutOfService);
        CutPower(world);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "another one takes over");
        Assert.Equal(FenceEvidence.NodeOutOfService, world.Failovers[^1].Status!.Fence!.Evidence);
        Assert.Contains(world.Api.Peek<V1Node>(null, "node-1")!.Spec.Taints, t => t is { Key: OutOfService, Effect: "NoExecute" });
        Assert.Null(world.Api.Peek<V1Node>(null, "node-2")!.Spec?.Taints);
    }

    [Fact]
    public void A_taint_that_may_not_be_set_is_passed_over_and_says_so()
    {
        using var world = Running(FencingMethod.PodTermination, FencingMethod.NodeOutOfService);
        world.Operator.Api.Faults.FailNext(ApiFailure.Forbidden, c => c is { Verb: "patch", Kind: "Node" }, times: int.MaxValue);
        CutPower(world);
        world.Until(() => world.Failovers[^1].Status?.Reason == Reasons.FencingForbidden, "it says what it lacks");
        Assert.Contains("fencing.nodeTaint: true", world.Failovers[^1].Status!.Message);
        world.Until(() => world.Condition("Progressing") == "False FenceUnproven", "it is blocked");
        Assert.Null(world.Api.Peek<V1Node>(null, "node-1")!.Spec?.Taints);
    }

    private static V1Job? Job(OperatorWorld world) => world.Api.Peek<V1Job>("shop", "db-0-2-fence");

    private static void End(OperatorWorld world, string condition) => world.Api.Change<V1Job>("shop", "db-0-2-fence", j =>
        j.Status = new V1JobStatus { Conditions = [new V1JobCondition { Type = condition, Status = "True", Message = "no answer" }] });

    private static void CutPower(OperatorWorld world)
    {
        world.CutPower("node-1");
        world.Api.Change<V1Node>(null, "node-1", n => n.Status.Conditions[0].Status = "Unknown");
    }

    private static OperatorWorld Running(params FencingMethod[] policy)
    {
        var job = policy.Contains(FencingMethod.Job) ? new FencingJobSpec { Image = "fence" } : null;
        var world = new OperatorWorld(spec => spec with { Fencing = spec.Fencing with { Policy = policy, Job = job } });
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }
}
