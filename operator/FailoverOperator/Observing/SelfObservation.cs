using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Observing;

/// <summary>Whether the operator can trust what it sees.</summary>
public sealed class SelfObservation(ClusterView cluster, ApiHealth api) : ISelfObservation
{
    public OperatorObservation Observe() => new(cluster.IsSynced, api.SinceLastAnswer);
}
