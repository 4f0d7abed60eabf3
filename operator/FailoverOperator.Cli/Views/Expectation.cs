using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Cli.Views;

/// <summary>How one kind of failure of the primary is met, as the spec has it.</summary>
/// <param name="If">What happens.</param>
/// <param name="Noticed">When the operator knows.</param>
/// <param name="Fenced">What proves then that the old primary cannot write.</param>
public sealed record Expectation(string If, string Noticed, string Fenced)
{
    /// <summary>Nothing where there is no primary.</summary>
    public static IReadOnlyList<Expectation> Of(RedundancyGroupSpec spec) =>
        spec.Mode is RedundancyMode.ActiveActive or RedundancyMode.Quorum ? [] : [Crash(spec), Deletion(spec), NodeLoss(spec)];

    private static Expectation Crash(RedundancyGroupSpec spec)
    {
        const string what = "its process crashes";
        if (spec.Agent is null)
        {
            return new(what, Text($"when its kubelet reports it, or nobody listens at the next probe ({spec.Detection.ProbeIntervalMilliseconds} ms)"),
                spec.Engine.StartsAs == StartState.ReadOnly ? "the process has ended" : "the pod is deleted, and its kubelet confirms the end");
        }
        return spec.Detection.OnProcessCrash == OnProcessCrash.Failover
            ? new(what, "at once, by its agent", "its agent releases the lease")
            : new(what, Text($"when its agent could not restart it within {spec.Detection.RestartTimeoutSeconds} s"), "its agent releases the lease");
    }

    private static Expectation Deletion(RedundancyGroupSpec spec) => new("its pod is deleted or evicted", "at once",
        spec.Agent is null ? "its kubelet confirms the end" : "its agent hands over and releases the lease");

    private static Expectation NodeLoss(RedundancyGroupSpec spec)
    {
        const string what = "its node loses power or network";
        if (spec.Agent is not null)
            return new(what, Text($"when the lease was not renewed for {spec.Detection.LeaseDurationSeconds} s"),
                "the lease has run out: its agent has stopped it before that");
        return new(what, Text($"after {spec.Detection.UnhealthyAfterSeconds} s of silence"), Proof(spec.Fencing));
    }

    /// <summary>The kubelet of a lost node confirms nothing.</summary>
    private static string Proof(FencingSpec fencing)
    {
        var ways = fencing.Policy.Select(Way).OfType<string>().ToList();
        var last = fencing.WhenUnproven == UnprovenFence.Proceed
            ? Text($"nothing: after {fencing.TimeoutSeconds} s for each way the risk of two primaries is taken")
            : "nothing: it is blocked until the node is back, or a person confirms that it is off";
        return ways.Count == 0 ? last : $"{string.Join(", or ", ways)}; else {last}";
    }

    private static string? Way(FencingMethod method) => method switch
    {
        FencingMethod.SelfFence or FencingMethod.PodTermination => null,
        FencingMethod.NodeOutOfService => "the taint out-of-service on a node that is proven down",
        FencingMethod.Job => "the Job of fencing.job has succeeded",
        _ => null,
    };

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
