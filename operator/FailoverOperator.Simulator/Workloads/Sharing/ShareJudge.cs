using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Cluster;
using k8s.Models;

namespace FailoverOperator.Simulator.Workloads.Sharing;

/// <summary>
/// Holds against what is really so: who fails is taken out within a bound, the last ones are not, and who is well again is let in after the one
/// before it has had its time. Where the operator, the API server or the network were disturbed just before, it is not asked for haste.
/// </summary>
internal sealed class ShareJudge(SimulatedWorld world)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>The operator's questions and the kubelets' probes, their timeouts, and what a write takes.</summary>
    private static readonly TimeSpan OutWithin = TimeSpan.FromSeconds(7);

    /// <summary>Without questions of the operator's own only the node's silence tells that its kubelet is silent: a power cut leaves its pods ready.</summary>
    private static readonly TimeSpan OutWithNodeWithin = TimeSpan.FromSeconds(55);

    private static readonly TimeSpan EmptyAtMost = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AllAtOnceFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(600);

    private readonly Dictionary<string, TimeSpan> _failingSince = [];
    private readonly Dictionary<string, TimeSpan> _fitSince = [];
    private readonly Dictionary<string, TimeSpan> _unreadySince = [];
    private TimeSpan? _admittedAt;
    private TimeSpan? _emptySince;
    private TimeSpan _allAtOnceUntil;

    /// <summary>The operator can know by then that a member fails which is still called ready.</summary>
    private TimeSpan SeenWithin => IsAsked ? OutWithin : OutWithNodeWithin;

    /// <summary>By the operator: else it goes by what pods and nodes are called.</summary>
    private bool IsAsked => world.Options.Spec.Engine.Type != EngineType.None;

    private ReadmissionSpec Readmission => world.Options.Spec.Readmission ?? new ReadmissionSpec();

    public void Begin() => world.Loop.Every(LookInterval, () =>
    {
        Look();
        return true;
    });

    /// <summary>A pod's label is another one, and no person has written it.</summary>
    public void Changed(StoredChange change)
    {
        if (world.IsByHand || change.Before is not { } before) return;
        var (was, now) = (IsServing(before.As<V1Pod>()), IsServing(change.After.As<V1Pod>()));
        if (was == now) return;
        var pod = change.After.As<V1Pod>();
        if (now) Admitted(pod);
        else world.Judge.Happened("a member is taken out");
    }

    private void Admitted(V1Pod pod)
    {
        var others = world.Cluster.All<V1Pod>().Count(p => p.Metadata.Uid != pod.Metadata.Uid && IsServing(p) && IsFit(p));
        var since = _admittedAt is { } last ? world.Loop.Now - last : TimeSpan.MaxValue;
        _admittedAt = world.Loop.Now;
        // While nobody takes traffic, or nobody seems to be well, all that may be are let in at once.
        if (others == 0) _allAtOnceUntil = world.Loop.Now + AllAtOnceFor;
        if (world.Loop.Now < _allAtOnceUntil || world.IsDisturbed) return;
        world.Judge.Happened("a member is let in again");
        if (since < TimeSpan.FromSeconds(Readmission.IntervalSeconds) - Tolerance) world.Judge.Break("readmission",
            FormattableString.Invariant($"{pod.Metadata.Name} was let in {since.TotalSeconds:0.0} s after another one; ")
            + $"{Readmission.IntervalSeconds} s are wanted, and {others} others take traffic");
        if (For(_failingSince, pod) > SeenWithin || For(_unreadySince, pod) > OutWithin)
            world.Judge.Break("readmission", $"{pod.Metadata.Name} was let in, and fails");
    }

    private void Look()
    {
        var pods = world.Cluster.All<V1Pod>().ToList();
        var members = world.Containers.OfType<WebMember>().ToList();
        foreach (var pod in pods) Note(pod, members.Exists(m => m.PodUid == pod.Metadata.Uid && m.IsFit));
        if (world.IsDisturbed)
        {
            _emptySince = null;
            return;
        }
        foreach (var pod in pods.Where(IsServing)) CheckOut(pod, pods);
        CheckEmpty(pods);
    }

    private void Note(V1Pod pod, bool isFit)
    {
        var (uid, isSo, isNotSo) = isFit ? (pod.Metadata.Uid, _fitSince, _failingSince) : (pod.Metadata.Uid, _failingSince, _fitSince);
        isSo.TryAdd(uid, world.Loop.Now);
        isNotSo.Remove(uid);
        if (Objects.IsReady(pod)) _unreadySince.Remove(uid);
        else _unreadySince.TryAdd(uid, world.Loop.Now);
    }

    /// <summary>Null: it is not so.</summary>
    private TimeSpan? For(Dictionary<string, TimeSpan> since, V1Pod pod) => since.TryGetValue(pod.Metadata.Uid, out var begin) ? world.Loop.Now - begin : null;

    private bool IsFitFor(V1Pod pod, TimeSpan time) => For(_fitSince, pod) > time && IsFit(pod);

    /// <summary>It is, and nothing that the operator is told speaks against it.</summary>
    private bool IsFit(V1Pod pod) => pod.Metadata.DeletionTimestamp is null && Objects.IsReady(pod) && (IsAsked || IsOnReadyNode(pod))
        && world.Containers.OfType<WebMember>().Any(m => m.PodUid == pod.Metadata.Uid && m.IsFit);

    private bool IsOnReadyNode(V1Pod pod) => world.Cluster.Find<V1Node>(pod.Spec.NodeName, null)?.Status.Conditions[0].Status == "True";

    private void CheckOut(V1Pod pod, List<V1Pod> pods)
    {
        // Nobody leads traffic to a pod that is being deleted or not ready, whatever its label.
        if (!_failingSince.TryGetValue(pod.Metadata.Uid, out var failing) || pod.Metadata.DeletionTimestamp is not null || !Objects.IsReady(pod)) return;
        var within = SeenWithin;
        var since = failing > world.DisturbedUntil ? failing : world.DisturbedUntil;
        if (world.Loop.Now - since <= within || !pods.Exists(p => p != pod && IsServing(p) && IsFitFor(p, within))) return;
        world.Judge.Break("ejection", FormattableString.Invariant(
            $"{pod.Metadata.Name} has failed for {(world.Loop.Now - failing).TotalSeconds:0.0} s and still takes traffic"));
    }

    /// <summary>Kubelets call somebody ready, and the operator has left nobody in.</summary>
    private void CheckEmpty(List<V1Pod> pods)
    {
        var ready = pods.Where(p => Objects.IsReady(p) && p.Metadata.DeletionTimestamp is null).ToList();
        if (ready.Count == 0 || ready.Exists(IsServing)) _emptySince = null;
        else _emptySince ??= world.Loop.Now;
        if (world.Loop.Now - _emptySince > EmptyAtMost) world.Judge.Break("last members",
            $"nobody takes traffic, and kubelets call {string.Join(", ", ready.Select(p => p.Metadata.Name))} ready");
    }

    private static bool IsServing(V1Pod pod) => pod.Metadata.Labels?.TryGetValue(ApiGroup.RoleLabel, out var role) == true && role == RoleLabels.Active;
}
