using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Watchdogs;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Scheduling;

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

    public virtual IWatchdog Watchdog(IWatchdog real, Container container) => real;

    /// <summary>What the agent and its watchdog count by.</summary>
    public virtual NodeClock AgentClock(NodeClock real) => real;

    /// <param name="health">What the operator knows of the API server's answers.</param>
    public virtual IKubernetesApi KubernetesApi(IKubernetesApi real, ApiHealth health) => real;

    public virtual NodeClock OperatorClock(NodeClock real) => real;

    public virtual IEngine Engine(IEngine real) => real;
}
