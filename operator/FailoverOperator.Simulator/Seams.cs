using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator;

/// <summary>
/// Where something can be put between the code that ships and its world: that is how deliberate mistakes are made, to see whether they are found.
/// As it is, nothing is.
/// </summary>
public class Seams
{
    public virtual ILeaseApi LeaseApi(ILeaseApi real, Container container) => real;

    public virtual IMemberServer MemberServer(IMemberServer real, Container container) => real;

    public virtual IPeers Peers(IPeers real, Container container) => real;

    public virtual IKubernetesApi KubernetesApi(IKubernetesApi real) => real;

    public virtual IEngine Engine(IEngine real) => real;
}
