using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Engines;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>What the steps of one group are done with.</summary>
public sealed record ActingContext(RedundancyGroup Group, GroupSession Session, FailoverRecord? Running);

/// <summary>
/// Does what was decided, and nothing else. A failed step is not retried here: the next look at the group decides anew.
/// </summary>
public sealed partial class StepExecutor(
    IKubernetesApi api, ClusterView cluster, FailoverRecorder recorder, LeaseWriter leases, FencingTools fencing, DisruptionTools disruption, ScaleWriter scales, ILogger<StepExecutor> logger)
{
    /// <summary>Does all steps at the same time. Throws <see cref="KubernetesApiException"/> when the API server refused one.</summary>
    public async Task ExecuteAsync(ActingContext context, IReadOnlyList<Step> steps, CancellationToken cancellationToken)
    {
        var (group, running) = (context.Group, context.Running);
        foreach (var step in steps) LogStep(group.Namespace(), group.Name(), running?.Name, running?.Spec.Term, Describe(step));
        await Task.WhenAll(steps.Select(step => ExecuteAsync(context, step, cancellationToken)));
    }

    private Task ExecuteAsync(ActingContext context, Step step, CancellationToken cancellationToken) => step switch
    {
        Step.Enter enter => recorder.EnterAsync(context, enter, cancellationToken),
        Step.TerminatePod terminate => TerminateAsync(context, terminate, cancellationToken),
        Step.AskMembers ask => Task.WhenAll(ask.Members.Select(m => context.Session.Prober.AskAsync(m.Uid, cancellationToken))),
        Step.Promote promote => PromoteAsync(context, promote, cancellationToken),
        Step.Follow follow => FollowAsync(context, follow, cancellationToken),
        Step.BindSpare bind => BindAsync(context, bind, cancellationToken),
        Step.Label label => LabelAsync(context, label, cancellationToken),
        Step.PointService point => PointAsync(context, point, cancellationToken),
        Step.AssignLease assign => leases.AssignAsync(context.Group, assign, cancellationToken),
        Step.RecreateLease recreate => leases.RecreateAsync(context.Group, recreate, cancellationToken),
        Step.RevokeLease revoke => leases.RevokeAsync(context.Group, revoke, cancellationToken),
        Step.AskHandOver ask => leases.AskHandOverAsync(context.Group, ask, cancellationToken),
        Step.UpdateLeaseTerms update => leases.UpdateTermsAsync(context.Group, update, cancellationToken),
        Step.TaintNode taint => TaintAsync(context, taint, cancellationToken),
        Step.RunFencingJob run => RunJobAsync(context, run, cancellationToken),
        Step.RestartMember restart => disruption.RestartAsync(context.Group, restart, cancellationToken),
        Step.KeepBudget keep => disruption.KeepBudgetAsync(context.Group, keep, cancellationToken),
        Step.RemoveBudget remove => disruption.RemoveBudgetAsync(context.Group, remove, cancellationToken),
        Step.ScaleStandby scale => scales.ScaleAsync(context.Group, scale, cancellationToken),
        Step.Verify verify => VerifyAsync(context, verify, cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "unknown step"),
    };

    private async Task TerminateAsync(ActingContext context, Step.TerminatePod step, CancellationToken cancellationToken)
    {
        try
        {
            // Never with a grace period of 0: that would remove the object without the kubelet's confirmation.
            await api.DeleteAsync<V1Pod>(context.Group.Namespace(), step.Member.Name, new DeleteOptions(Uid: step.Member.Uid), cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.NotFound or ApiFailure.Conflict)
        {
            // Gone already, or another pod has its name: the watch will tell.
        }
    }

    private async Task PromoteAsync(ActingContext context, Step.Promote step, CancellationToken cancellationToken)
    {
        var outcome = await context.Session.Engine.PromoteAsync(Endpoint(context, step.Member), Context(context, step.Term), cancellationToken);
        Report(context, step, outcome);
        await context.Session.Prober.AskAsync(step.Member.Uid, cancellationToken);
    }

    private async Task FollowAsync(ActingContext context, Step.Follow step, CancellationToken cancellationToken)
    {
        var outcome = await context.Session.Engine.FollowAsync(
            Endpoint(context, step.Member), Endpoint(context, step.Primary), Context(context, step.Term), cancellationToken);
        Report(context, step, outcome);
        await context.Session.Prober.AskAsync(step.Member.Uid, cancellationToken);
    }

    private async Task LabelAsync(ActingContext context, Step.Label step, CancellationToken cancellationToken) =>
        context.Session.Pods.Wrote(await api.MergePatchAsync<V1Pod>(context.Group.Namespace(), step.Member.Name, new
        {
            metadata = new
            {
                // The label is for this incarnation of the pod, not for its successor.
                uid = step.Member.Uid,
                resourceVersion = step.ReadVersion,
                labels = Labels(context, step),
            },
        }, cancellationToken));

    private static Dictionary<string, string?> Labels(ActingContext context, Step.Label step)
    {
        var labels = new Dictionary<string, string?>
        {
            [ApiGroup.GroupLabel] = context.Group.Name(),
            [ApiGroup.SlotLabel] = step.Slot,
            [ApiGroup.RoleLabel] = step.Role,
            [ApiGroup.TermLabel] = step.Term?.ToString(CultureInfo.InvariantCulture),
        };
        // Services select one pod by this, which StatefulSets alone give to their pods.
        if (step.Member.IsCold) labels[ApiGroup.PodNameLabel] = step.Member.Name;
        return labels;
    }

    private async Task BindAsync(ActingContext context, Step.BindSpare step, CancellationToken cancellationToken) =>
        context.Session.Pods.Wrote(await api.MergePatchAsync<V1Pod>(context.Group.Namespace(), step.Member.Name, new
        {
            metadata = new
            {
                uid = step.Member.Uid,
                resourceVersion = step.Member.Version,
                labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = context.Group.Name(), [ApiGroup.SlotLabel] = step.Slot },
            },
        }, cancellationToken));

    private async Task PointAsync(ActingContext context, Step.PointService step, CancellationToken cancellationToken)
    {
        if (cluster.Service(context.Group.Namespace(), step.Name) is not { } cached) return;
        var service = context.Session.Services.Newest(cached);
        context.Session.Services.Wrote(await api.MergePatchAsync<V1Service>(context.Group.Namespace(), step.Name, new
        {
            metadata = new
            {
                // Invariant I6: a term that somebody else has published since is not overwritten.
                resourceVersion = service.ResourceVersion(),
                annotations = new Dictionary<string, string> { [ApiGroup.TermLabel] = step.Term.ToString(CultureInfo.InvariantCulture) },
            },
            spec = new { selector = Selector(step) },
        }, cancellationToken));
    }

    /// <summary>Added to what the Service's owner asks for.</summary>
    private static Dictionary<string, string?> Selector(Step.PointService step)
    {
        var role = step.Role == TrafficRole.Active ? RoleLabels.Active : RoleLabels.Standby;
        // Null removes the one pod, or slot, that a Service led to.
        return new Dictionary<string, string?> { [ApiGroup.RoleLabel] = role, [ApiGroup.PodNameLabel] = step.Pod, [ApiGroup.SlotLabel] = step.Slot };
    }

    private async Task TaintAsync(ActingContext context, Step.TaintNode step, CancellationToken cancellationToken)
    {
        try
        {
            await fencing.TaintAsync(step, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.Forbidden)
        {
            // The other ways to fence, and a person, go on.
            await recorder.BlockAsync(context, Reasons.FencingForbidden,
                $"the operator lacks the right to taint node {step.Node}; install the chart with fencing.nodeTaint: true, "
                + "or remove NodeOutOfService from fencing.policy", cancellationToken);
        }
    }

    private async Task RunJobAsync(ActingContext context, Step.RunFencingJob step, CancellationToken cancellationToken)
    {
        var failovers = context.Session.Newest(cluster, context.Group);
        if (failovers.FirstOrDefault(f => f.Name() == context.Running?.Name) is not { } failover) return;
        try
        {
            await fencing.RunJobAsync(context.Group, failover, step, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Forbidden or ApiFailure.Invalid)
        {
            context.Session.JobRefusals.Note(failover.Name(), e.Failure == ApiFailure.Forbidden
                ? "the operator lacks the right to create Jobs; install the chart with fencing.jobs: true, or remove Job from fencing.policy"
                : $"the API server refuses the Job of fencing.job: {e.Message}");
        }
    }

    private async Task VerifyAsync(ActingContext context, Step.Verify step, CancellationToken cancellationToken)
    {
        var member = Endpoint(context, step.Member);
        var ways = Slots.Services(context.Group.Spec, context.Session.Slot).Where(s => s.Role == TrafficRole.Active)
            .SelectMany(s => cluster.Endpoints.Of(context.Group.Namespace(), s.Name)).Distinct()
            .DefaultIfEmpty(new ServiceEndpoint(member.PodAddress, 0));
        EngineOutcome outcome = new EngineOutcome.Done();
        foreach (var way in ways)
        {
            outcome = await context.Session.Engine.VerifyAsync(member, way.Address, way.Port, Context(context, step.Term), cancellationToken);
            if (outcome is not EngineOutcome.Done) break;
        }
        Report(context, step, outcome);
        if (context.Running is { } running) context.Session.Verifications[running.Name] = outcome;
    }

    private void Report(ActingContext context, Step step, EngineOutcome outcome)
    {
        if (outcome is not EngineOutcome.NotDone notDone) return;
        LogNotDone(context.Group.Namespace(), context.Group.Name(), context.Running?.Name, Describe(step), notDone.Message);
    }

    private static MemberEndpoint Endpoint(ActingContext context, Member member) =>
        new(context.Group.Namespace(), member.Name, member.Uid, member.Address!);

    private static EngineContext Context(ActingContext context, long term) => new(context.Group.Name(), context.Session.Slot, term);

    /// <summary>The step in words, the same for the same step.</summary>
    public static string Describe(Step step) => step switch
    {
        Step.Enter enter => $"enter phase {enter.Phase}",
        Step.TerminatePod terminate => $"delete pod {terminate.Member.Name}",
        Step.AskMembers ask => $"ask {string.Join(", ", ask.Members.Select(m => m.Name))}",
        Step.Promote promote => $"promote {promote.Member.Name}",
        Step.Follow follow => $"let {follow.Member.Name} follow {follow.Primary.Name}",
        Step.BindSpare bind => $"bind {bind.Member.Name} to slot {bind.Slot}",
        Step.Label label => $"label {label.Member.Name} {label.Role}",
        Step.PointService point => $"point service {point.Name} to {point.Pod ?? point.Role.ToString()}",
        Step.AssignLease assign => $"assign the lease to {assign.Member.Name} in term {assign.Term}",
        Step.RecreateLease recreate => $"make the lease of term {recreate.Term} anew, held by nobody",
        Step.RevokeLease revoke => $"revoke the lease of {revoke.Holder} in term {revoke.Term}",
        Step.AskHandOver { Withdraw: true } => "withdraw the request to hand over",
        Step.AskHandOver ask => $"ask {ask.Holder} to hand over",
        Step.UpdateLeaseTerms update =>
            $"write the lease's terms: {update.Terms.Members.Count} members, {update.Terms.SynchronousStandbys} synchronous",
        Step.TaintNode taint => $"taint node {taint.Node} as out of service",
        Step.RunFencingJob run => $"run the fencing Job for {run.Member.Name}",
        Step.RestartMember restart => $"delete pod {restart.Member.Name}, which is not of revision {restart.Revision}",
        Step.KeepBudget keep => $"{(keep.ReadVersion is null ? "create" : "put right")} PodDisruptionBudget {keep.Name}",
        Step.RemoveBudget remove => $"delete PodDisruptionBudget {remove.Name}",
        Step.ScaleStandby scale => $"scale the cold standby to {scale.Replicas}",
        Step.Verify verify => $"verify a write on {verify.Member.Name}",
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "unknown step"),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Namespace}/{Group}: {Step} (failover {Failover}, term {Term})")]
    private partial void LogStep(string @namespace, string group, string? failover, long? term, string step);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Namespace}/{Group}: could not {Step}: {Reason} (failover {Failover})")]
    private partial void LogNotDone(string @namespace, string group, string? failover, string step, string reason);
}
