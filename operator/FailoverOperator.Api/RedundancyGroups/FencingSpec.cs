using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>Ways to fence.</summary>
public enum FencingMethod
{
    SelfFence,
    PodTermination,
    NodeOutOfService,
    Job,
}

/// <summary>Whether a primary may go on without the API server.</summary>
public enum Failsafe
{
    Enabled,
    Disabled,
}

/// <summary>What to do when no way of fencing could be proven.</summary>
public enum UnprovenFence
{
    Block,
    Proceed,
}

/// <summary>How a failed primary is kept from writing.</summary>
public sealed record FencingSpec
{
    [Description("Ways to fence, tried in order until one is proven. SelfFence: the agent in the primary's container stops it when it cannot renew its lease; needs agent. PodTermination: delete the pod and wait until its kubelet has confirmed that every container has ended. NodeOutOfService: put the taint node.kubernetes.io/out-of-service on a node that is proven down. Job: run the Job of fencing.job and wait for its success.")]
    [Items(1, 4)]
    [ListSet]
    public IReadOnlyList<FencingMethod> Policy { get; init; } = [FencingMethod.PodTermination];

    [Description("What to do when the end of the old primary is not proven in time, as on a node that lost power or its network. Block: wait for the proof or for a person. Proceed: promote all the same, and risk two primaries.")]
    public UnprovenFence WhenUnproven { get; init; } = UnprovenFence.Block;

    [Description("Time for each way to give a proof. After the last one whenUnproven decides.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 20;

    [Description("With agents: the primary stops to be writable when the last acknowledged renewal of its lease was sent so long ago.")]
    [RangeMinimum(200)]
    [RangeMaximum(300000)]
    public int StopAfterMilliseconds { get; init; } = 3000;

    [Description("With agents: time for the primary's server to become read-only. After it every process of the container is killed.")]
    [RangeMinimum(100)]
    [RangeMaximum(60000)]
    public int DemoteTimeoutMilliseconds { get; init; } = 1000;

    [Description("With agents: whether a primary that cannot reach the API server stays writable while every other member acknowledges it. Enabled: an outage of the API server alone changes nothing for clients. Without effect for a group of one member.")]
    public Failsafe Failsafe { get; init; } = Failsafe.Enabled;

    [Description("The Job that fences, for policy Job.")]
    public FencingJobSpec? Job { get; init; }
}

/// <summary>A Job that switches a node or machine off.</summary>
public sealed record FencingJobSpec
{
    [Required]
    [Description("Image of the Job's container.")]
    [Length(1, 512)]
    public string Image { get; init; } = "";

    [Description("Command and arguments. Its environment has NODE_NAME, POD_NAME, POD_NAMESPACE, GROUP, SLOT and TERM of the primary that is to be fenced. Success means: it surely cannot write any more.")]
    [Items(0, 64)]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("Name of a Secret in the group's namespace whose keys become environment variables, as for the credentials of a power switch. Empty: none.")]
    [Length(0, 253)]
    public string EnvironmentSecretName { get; init; } = "";

    [Description("Name of the service account that it runs as. Empty: the namespace's default.")]
    [Length(0, 253)]
    public string ServiceAccountName { get; init; } = "";

    [Description("Time for the Job to succeed.")]
    [RangeMinimum(1)]
    [RangeMaximum(3600)]
    public int TimeoutSeconds { get; init; } = 60;
}
