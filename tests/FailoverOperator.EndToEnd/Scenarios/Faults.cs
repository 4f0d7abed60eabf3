using System.Diagnostics;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Ownership;
using FailoverOperator.TestBed;
using k8s.Autorest;

namespace FailoverOperator.EndToEnd.Scenarios;

public sealed partial record Fault
{
    private static readonly Func<Scene, Task> Nothing = _ => Task.CompletedTask;

    public static IReadOnlyList<Fault> All { get; } =
    [
        new("process-crash", Expected.Failover, scene => scene.Group.CrashServerAsync(scene.Primary))
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Evidence = [FenceEvidence.Released],
        },
        new("switchover", Expected.Failover, AskSwitchoverAsync)
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Evidence = [FenceEvidence.Released],
        },
        new("drain", Expected.Failover, DrainAsync)
        {
            NeedsNodePower = false,
            Heal = scene => scene.Bed.Cluster.Kubectl.RunAsync("uncordon", scene.Node),
            Evidence = [FenceEvidence.Released],
        },
        new("container-kill", Expected.Failover, scene => scene.Group.SignalFirstProcessAsync(scene.Primary, "KILL")) { Prepare = Nothing },
        new("pod-delete", Expected.Failover, scene => scene.Kubectl.RunAsync("delete", "pod", scene.Primary, "--wait=false"))
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Evidence = [FenceEvidence.Released],
        },
        new("node-power-cut", Expected.Failover, CutNodeAsync) { KillsNode = true, Heal = RestoreNodeAsync, Evidence = [FenceEvidence.LeaseExpired] },
        new("node-partition", Expected.Failover, scene => scene.Nodes.PartitionAsync(scene.Node))
        {
            Heal = scene => WaitNodeReadyAfterAsync(scene, scene.Nodes.HealAsync(scene.Node)),
            Evidence = [FenceEvidence.LeaseExpired],
        },
        new("node-freeze", Expected.Failover, scene => scene.Nodes.FreezeAsync(scene.Node))
        {
            Lasts = TimeSpan.FromSeconds(20),
            Heal = scene => WaitNodeReadyAfterAsync(scene, scene.Nodes.ThawAsync(scene.Node)),
            Evidence = [FenceEvidence.LeaseExpired],
        },
        new("api-down", Expected.Nothing, scene => scene.Nodes.CutAsync(scene.Nodes.ControlPlane))
        {
            Prepare = Nothing,
            // Five leases' time.
            Lasts = TimeSpan.FromSeconds(25),
            Heal = RestoreApiAsync,
        },
        new("operator-down", Expected.Nothing, scene => scene.Bed.Release.StopAsync())
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Lasts = TimeSpan.FromSeconds(60),
            Heal = scene => scene.Bed.Release.StartAsync(),
        },
        new("power-cut-while-operator-down", Expected.Failover, async scene =>
        {
            await scene.Bed.Release.StopAsync();
            await CutNodeAsync(scene);
        })
        {
            KillsNode = true,
            Relief = (TimeSpan.FromSeconds(15), scene => scene.Bed.Release.StartAsync()),
            Heal = async scene =>
            {
                await RestoreNodeAsync(scene);
                await scene.Bed.Release.StartAsync();
            },
        },
        new("operator-and-primary-on-one-node-power-cut", Expected.Failover, CutNodeAsync)
        {
            KillsNode = true,
            Prepare = scene => scene.Bed.Release.MoveToAsync(scene.Node),
            Heal = RestoreNodeAsync,
        },
        new("agent-stopped", Expected.Failover, scene => scene.Group.SignalFirstProcessAsync(scene.Primary, "STOP"))
        {
            Prepare = Nothing,
            Lasts = TimeSpan.FromSeconds(20),
            Heal = scene => scene.Group.SignalFirstProcessAsync(scene.Primary, "CONT"),
        },
        new("two-operators", Expected.Failover, async scene =>
        {
            await scene.Bed.Release.StartAsync(replicas: 2);
            await scene.Group.CrashServerAsync(scene.Primary);
        })
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Heal = scene => scene.Bed.Release.StartAsync(),
        },
        new("owner-killed", Expected.Failover, KillOwnerMidwayAsync)
        {
            NeedsNodePower = false,
            Prepare = scene => scene.Bed.Release.StartAsync(replicas: 2),
            Heal = scene => scene.Bed.Release.StartAsync(),
        },
        new("api-slow", Expected.Either, SlowApiDownAsync)
        {
            Prepare = Nothing,
            Heal = scene => scene.Nodes.ThawAsync(scene.Nodes.ControlPlane),
        },
        new("lease-forged", Expected.Either, ForgeLeaseAsync) { NeedsNodePower = false, Prepare = Nothing, Lasts = TimeSpan.FromSeconds(10) },
        new("lease-deleted", Expected.Either, scene => scene.Kubectl.RunAsync("delete", "lease", scene.Group.Lease))
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Lasts = TimeSpan.FromSeconds(10),
        },
        new("wrong-token", Expected.Nothing, scene => SetTokenAsync(scene, "wrong"))
        {
            NeedsNodePower = false,
            Prepare = Nothing,
            Lasts = TimeSpan.FromSeconds(20),
            Heal = scene => SetTokenAsync(scene, "change-me-to-a-long-random-string"),
        },
    ];

    /// <summary>Of two operators the one that acts for the group is killed as soon as it has begun the failover.</summary>
    private static async Task KillOwnerMidwayAsync(Scene scene)
    {
        var pods = await scene.Bed.Release.PodsAsync(atLeast: 2);
        var group = $"{scene.Group.Scope.Name}/{scene.Group.Name}";
        var owner = pods.Single(pod => pod.Metadata.Name == Rendezvous.Order(group, pods.Select(p => p.Metadata.Name))[0]);
        var term = (await scene.Group.GetAsync()).Status!.Slots[0].Term!.Value;
        await using var kill = await scene.Bed.Release.ArmKillAsync(owner);
        await using var watch = await FailoverWatch.StartAsync(scene.Group.Scope);
        await scene.Group.CrashServerAsync(scene.Primary);
        await watch.WaitAsync(term, FailoverPhase.Pending, TimeSpan.FromSeconds(30));
        await kill.FireAsync();
    }

    /// <summary>Ends when the pod is gone from its node, which it is not before another member is the primary.</summary>
    private static async Task DrainAsync(Scene scene)
    {
        await scene.Bed.Cluster.Kubectl.RunAsync("drain", scene.Node, $"--pod-selector=failover-operator.io/group={scene.Group.Name}",
            "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s");
        var moved = (await scene.Group.FailoversAsync()).MaxBy(failover => failover.Spec.Term)!;
        Scenario.Expect(moved.Spec is { Type: FailoverType.Switchover, Cause: FailoverCause.NodeDrain }, $"a switchover for the drain, but {moved.Metadata.Name} is {moved.Spec.Type} for {moved.Spec.Cause}");
    }

    /// <summary>What a person applies; to the standby that is last by name.</summary>
    private static async Task AskSwitchoverAsync(Scene scene)
    {
        var target = (await scene.Group.PodNamesAsync()).Where(name => name != scene.Primary).Order().Last();
        var term = (await scene.Group.GetAsync()).Status!.Slots[0].Term;
        await scene.Kubectl.ApplyAsync($$"""
            apiVersion: failover-operator.io/v1alpha1
            kind: Failover
            metadata: { name: move-{{term}} }
            spec: { groupRef: { name: {{scene.Group.Name}} }, type: Switchover, target: {{target}}, expectedHolder: {{scene.Primary}}, reason: a test }
            """);
    }

    private static Task CutNodeAsync(Scene scene) => scene.Nodes.CutAsync(scene.Node);

    private static Task RestoreNodeAsync(Scene scene) => WaitNodeReadyAfterAsync(scene, scene.Nodes.RestoreAsync(scene.Node));

    private static async Task WaitNodeReadyAfterAsync(Scene scene, Task healing)
    {
        await healing;
        await scene.Bed.Cluster.Kubectl.RunAsync("wait", "--for=condition=Ready", $"node/{scene.Node}", "--timeout=60s");
    }

    /// <summary>For half a minute every call takes up to two seconds.</summary>
    private static async Task SlowApiDownAsync(Scene scene)
    {
        for (var since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(30);)
        {
            await scene.Nodes.FreezeAsync(scene.Nodes.ControlPlane);
            await Task.Delay(TimeSpan.FromMilliseconds(1800));
            await scene.Nodes.ThawAsync(scene.Nodes.ControlPlane);
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private static async Task RestoreApiAsync(Scene scene)
    {
        await scene.Nodes.RestoreAsync(scene.Nodes.ControlPlane);
        await Poll.UntilAsync("the API server to be back", TimeSpan.FromSeconds(90),
            async () => (await scene.Bed.Cluster.Kubectl.TryAsync("get", "--raw", "/readyz", "--request-timeout=2s")).Succeeded);
        // Connections from before the outage break only when they are used.
        await Poll.UntilAsync("this process to reach the API server again", TimeSpan.FromSeconds(30), async () => await HasAnswerAsync(scene));
        await scene.Bed.Cluster.Kubectl.RunAsync("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s");
    }

    private static async Task<bool> HasAnswerAsync(Scene scene)
    {
        try
        {
            await scene.Group.PodNamesAsync();
            return true;
        }
        catch (Exception failure) when (failure is HttpRequestException or HttpOperationException or IOException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>Somebody writes a standby into the lease, all by himself, and makes it look like a new term.</summary>
    private static async Task ForgeLeaseAsync(Scene scene)
    {
        var names = await scene.Group.PodNamesAsync();
        var standby = await scene.Group.PodAsync(names.First(name => name != scene.Primary));
        var term = (await scene.Group.GetAsync()).Status!.Slots[0].Term!.Value + 1;
        var holder = LeaseContract.Identity(standby.Metadata.Name, standby.Metadata.Uid);
        await scene.Kubectl.RunAsync("patch", "lease", scene.Group.Lease, "--type=merge", "-p", $$"""{"spec":{"holderIdentity":"{{holder}}","leaseTransitions":{{term}} } }""");
    }

    private static Task SetTokenAsync(Scene scene, string token) =>
        scene.Kubectl.RunAsync("patch", "secret", scene.Group.Name, "--type=merge", "-p", $$"""{"stringData":{"token":"{{token}}" } }""");
}
