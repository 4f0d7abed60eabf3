using FailoverOperator.Api;
using FailoverOperator.Core.Ownership;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The heartbeat of one replica of the operator: a lease in its own namespace that it alone writes.</summary>
public static class ReplicaLease
{
    private const string Prefix = "failover-operator-replica-";

    public static string NameOf(string replica) => Prefix + replica;

    public static string ReplicaOf(V1Lease lease) => lease.Name().StartsWith(Prefix, StringComparison.Ordinal) ? lease.Name()[Prefix.Length..] : lease.Name();

    /// <summary>Operators that watch the same share the work; their leases carry the same label.</summary>
    public static string Selector(string? watchNamespace) => $"{ApiGroup.ReplicaLabel}={LabelValue(watchNamespace)}";

    public static V1Lease New(string replica, string namespaceName, string? watchNamespace, string? podUid) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = NameOf(replica),
            NamespaceProperty = namespaceName,
            Labels = new Dictionary<string, string> { [ApiGroup.ReplicaLabel] = LabelValue(watchNamespace) },
            // It goes with its pod: nobody else has to clear it away.
            OwnerReferences = podUid is null ? null : [new V1OwnerReference { ApiVersion = "v1", Kind = "Pod", Name = replica, Uid = podUid }],
        },
        Spec = new V1LeaseSpec { HolderIdentity = replica, LeaseDurationSeconds = (int)Math.Ceiling(Replica.DeadAfter.TotalSeconds) },
    };

    /// <param name="holder">Empty: it goes.</param>
    public static V1Lease Beat(V1Lease known, string holder, DateTimeOffset wallNow) => new()
    {
        Metadata = known.Metadata,
        Spec = new V1LeaseSpec { HolderIdentity = holder, LeaseDurationSeconds = known.Spec?.LeaseDurationSeconds, RenewTime = wallNow.UtcDateTime },
    };

    /// <summary>No namespace has a capital letter in its name.</summary>
    private static string LabelValue(string? watchNamespace) => watchNamespace ?? "All";
}
