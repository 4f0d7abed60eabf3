using FailoverOperator.Api;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Reporting;

/// <summary>
/// Whether one failure takes all members. Nobody is accused of what is not known, or could not be otherwise: nodes that tell no zone, and clusters
/// that have one only.
/// </summary>
public static class Placement
{
    /// <summary>Null: the members do not share a failure domain, so far as is known.</summary>
    public static (string Reason, string Message)? Concentration(GroupObservation group)
    {
        var nodes = group.Members.Where(m => !m.Pod.Terminating).Select(m => m.Node).ToList();
        if (nodes.Count < 2 || nodes.Any(n => n.Name.Length == 0)) return null;
        if (nodes.DistinctBy(n => n.Name).Count() == 1)
        {
            return group.Domains.Nodes < 2 ? null : (Reasons.NodeConcentrated,
                $"all members are on node {nodes[0].Name}, and are lost with it; spread them, by a podAntiAffinity or topologySpreadConstraints in the workload");
        }
        return nodes[0].Zone is not { } zone || nodes.Any(n => n.Zone != zone) || group.Domains.Zones < 2 ? null : (Reasons.ZoneConcentrated,
            $"all members are in zone {zone}, and are lost with it; spread them, by topologySpreadConstraints over topology.kubernetes.io/zone in the workload");
    }
}
