using FailoverOperator.Acting;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.TestBed;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverOperator.Integration;

/// <summary>Leases, taints and fencing Jobs as a real server takes them.</summary>
public sealed class LeaseTests(ApiServerFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static readonly LeaseTerms Terms = new() { Members = [new LeaseMember("db-0", "uid-0", "10.0.0.1", 8008), new LeaseMember("db-1", "uid-1", "10.0.0.2", 8008)] };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const int Operators = 6;

    [Fact]
    public async Task A_lease_lives_through_assignment_renewal_revocation_and_release()
    {
        var scope = await fixture.CreateNamespaceAsync();
        // A whole second: the server wants its six digits of fraction all the same.
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var assigned = await fixture.Api.CreateAsync(LeaseCodec.Write(null, scope, "db", ElectorProtocol.Assign(null, false, "db-0/uid-0", 1, Terms), now), Token);
        Assert.True(Record(assigned).IsHeldBy("db-0/uid-0"));

        var renewal = LeaseCodec.Write(assigned, scope, "db", Record(assigned).Renewed(Terms), now);
        renewal.Spec.RenewTime = now.AddSeconds(1).UtcDateTime;
        var renewed = await fixture.Api.ReplaceAsync(renewal, Token);
        Assert.Equal(Terms, Record(renewed).Accepted);

        var revoked = await fixture.Api.ReplaceAsync(LeaseCodec.Write(renewed, scope, "db", ElectorProtocol.Revoke(Record(renewed)), now), Token);
        Assert.Equal((null, null, 1L), (Record(revoked).Holder, Record(revoked).Assignment, Record(revoked).Term));
        Assert.Equal(ApiFailure.Conflict, (await Assert.ThrowsAsync<KubernetesApiException>(() => fixture.Api.ReplaceAsync(renewal, Token))).Failure);

        var note = new ReleaseNote("db-0/uid-0", 1, ReleaseReason.SelfFenced, 42, "revoked");
        var released = await fixture.Api.ReplaceAsync(LeaseCodec.Write(revoked, scope, "db", Record(revoked).Released(note), now), Token);
        Assert.True(Record(released).IsReleased);
        Assert.Equal(note, Record(released).Release);
    }

    [Fact]
    public async Task Of_many_operators_that_assign_at_the_same_time_one_does()
    {
        var scope = await fixture.CreateNamespaceAsync();
        foreach (var term in new[] { 1L, 2L })
        {
            // All of them have read before the first one writes: who reads later decides on what it reads.
            var (waiting, everybodyHasRead) = (Operators, new TaskCompletionSource());
            var outcomes = await Task.WhenAll(Enumerable.Range(0, Operators).Select(i => AssignAsync(scope, i, term, () =>
            {
                if (Interlocked.Decrement(ref waiting) == 0) everybodyHasRead.SetResult();
                return everybodyHasRead.Task;
            })));
            Assert.Single(outcomes, o => o is null);
            Assert.All(outcomes.OfType<ApiFailure>(), o => Assert.Contains(o, new[] { ApiFailure.AlreadyExists, ApiFailure.Conflict }));
        }
    }

    [Fact]
    public async Task Leases_of_others_are_not_watched_and_a_change_is_seen_at_once()
    {
        var scope = await fixture.CreateNamespaceAsync();
        await fixture.Api.CreateAsync(new V1Lease { Metadata = new V1ObjectMeta { Name = "foreign", NamespaceProperty = scope }, Spec = new V1LeaseSpec { HolderIdentity = "somebody" } }, Token);
        var (log, leases, running, end) = await StartAsync(scope);
        Assert.Empty(leases.Items());
        var assigned = await fixture.Api.CreateAsync(LeaseCodec.Write(null, scope, "db", ElectorProtocol.Assign(null, false, "db-0/uid-0", 1, Terms), DateTimeOffset.UnixEpoch), Token);
        await Poll.UntilAsync("the lease to be seen", Deadline, () => Task.FromResult(log.Observe(Group(scope)).Record?.Version == assigned.ResourceVersion()), () => Task.FromResult("not seen"));
        await end.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        end.Dispose();
    }

    [Fact]
    public async Task A_node_is_tainted_once_beside_its_other_taints()
    {
        var node = await fixture.Api.CreateAsync(new V1Node
        {
            Metadata = new V1ObjectMeta { Name = $"node-{Guid.NewGuid():n}" },
            Spec = new V1NodeSpec { Taints = [new V1Taint { Key = "other", Value = "kept", Effect = "NoExecute", TimeAdded = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) }, new V1Taint { Key = "bare", Effect = "NoSchedule" }] },
        }, Token);
        var tools = new FencingTools(fixture.Api);
        await tools.TaintAsync(new Step.TaintNode(node.Name()), Token);
        await tools.TaintAsync(new Step.TaintNode(node.Name()), Token);
        await tools.TaintAsync(new Step.TaintNode("no-such-node"), Token);
        var tainted = await fixture.Api.GetAsync<V1Node>(null, node.Name(), Token);
        // The server adds one of its own to a new node.
        Assert.Equal(["bare NoSchedule ", "node.kubernetes.io/out-of-service NoExecute nodeshutdown", "other NoExecute kept"],
            tainted!.Spec.Taints.Where(t => t.Key != "node.kubernetes.io/not-ready").Select(t => $"{t.Key} {t.Effect} {t.Value}").Order());
        Assert.Equal(2026, tainted.Spec.Taints.First(t => t.Key == "other").TimeAdded!.Value.Year);
    }

    [Fact]
    public async Task A_fencing_Job_is_created_once_for_a_failover_and_knows_whom_to_fence()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var group = Group(scope);
        group.Spec = group.Spec with { Fencing = new FencingSpec { Policy = [FencingMethod.SelfFence, FencingMethod.Job], Job = new FencingJobSpec { Image = "fence", Command = ["/fence"], EnvironmentSecretName = "ipmi", ServiceAccountName = "fencer", TimeoutSeconds = 7 } } };
        var failover = await fixture.Api.CreateAsync(Samples.Failover(scope, "db", 2), Token);
        var step = new Step.RunFencingJob(new MemberReference { Name = "db-0", Uid = "uid-0", Node = "node-1" }, 2);
        var tools = new FencingTools(fixture.Api);
        await tools.RunJobAsync(group, failover, step, Token);
        await tools.RunJobAsync(group, failover, step, Token);
        var job = await fixture.Api.GetAsync<V1Job>(scope, "db-0-2-fence", Token);
        var pod = job!.Spec.Template.Spec;
        Assert.Equal((0, 7, "Never", "fencer"), (job.Spec.BackoffLimit, job.Spec.ActiveDeadlineSeconds, pod.RestartPolicy, pod.ServiceAccountName));
        Assert.Equal(["NODE_NAME=node-1", "POD_NAME=db-0", $"POD_NAMESPACE={scope}", "GROUP=db", "SLOT=0", "TERM=2"], pod.Containers[0].Env.Select(e => $"{e.Name}={e.Value}"));
        Assert.Equal(("ipmi", "/fence"), (pod.Containers[0].EnvFrom[0].SecretRef.Name, pod.Containers[0].Command[0]));
        Assert.Equal("node-1", pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0].Values[0]);
        Assert.Equal(failover.Uid(), job.Metadata.OwnerReferences[0].Uid);
        Assert.IsType<Core.Observations.JobObservation.Running>(FencingJobReader.Read(job, failover));
    }

    /// <summary>Null: it was assigned.</summary>
    private async Task<ApiFailure?> AssignAsync(string scope, int pod, long term, Func<Task> afterReading)
    {
        var (log, _, running, end) = await StartAsync(scope);
        using (end)
        {
            var known = log.Observe(Group(scope)).Record;
            await afterReading().WaitAsync(TimeSpan.FromSeconds(30), Token);
            try
            {
                var step = new Step.AssignLease(new Core.Observations.Member { Name = $"db-{pod}", Uid = $"uid-{pod}", Pod = new() { Phase = 0, Ready = true }, Node = new() { Name = "", State = 0 } }, term, Terms, known?.Version, false);
                await new LeaseWriter(fixture.Api, log, new OperatorClock(TimeProvider.System)).AssignAsync(Group(scope), step, Token);
                return null;
            }
            catch (KubernetesApiException e)
            {
                return e.Failure;
            }
            finally
            {
                await end.CancelAsync();
                await running.ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task<(LeaseLog Log, Informer<V1Lease> Leases, Task Running, CancellationTokenSource End)> StartAsync(string scope)
    {
        var leases = new Informer<V1Lease>(fixture.Api, new InformerOptions { Namespace = scope, Selection = new ListOptions(ApiGroup.GroupLabel) }, TimeProvider.System, new Random(1), NullLogger.Instance);
        var log = new LeaseLog(leases, fixture.Api, new ApiHealth(TimeProvider.System), new OperatorClock(TimeProvider.System), NullLogger<LeaseLog>.Instance);
        var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = leases.RunAsync(end.Token);
        await leases.WaitForSyncAsync(Token).WaitAsync(Deadline, Token);
        return (log, leases, running, end);
    }

    private static RedundancyGroup Group(string scope) => new()
    {
        Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = scope },
        Spec = new RedundancyGroupSpec { Agent = new AgentSpec() },
    };

    private static LeaseRecord Record(V1Lease lease) => LeaseCodec.Read(lease).Record;
}
