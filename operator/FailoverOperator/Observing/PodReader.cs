using FailoverOperator.Core.Observations;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Translates pods into the core's words. No judgement.</summary>
public static class PodReader
{
    private const string DefaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

    public static PodObservation Read(V1Pod pod, Func<bool, TimeSpan> notReadyFor)
    {
        var ready = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready")?.Status == "True";
        var since = notReadyFor(ready);
        var engine = EngineContainer(pod);
        return new PodObservation
        {
            Phase = Enum.TryParse<PodPhase>(pod.Status?.Phase, out var phase) ? phase : PodPhase.Unknown,
            Ready = ready,
            NotReadyFor = ready ? null : since,
            Terminating = pod.Metadata.DeletionTimestamp is not null,
            EngineContainer = State(engine?.State),
            ContainerId = Text(engine?.ContainerID),
            EndedContainerId = Text(engine?.State?.Terminated?.ContainerID) ?? Text(engine?.LastState?.Terminated?.ContainerID),
            GracePeriod = pod.Spec?.TerminationGracePeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            AllContainersEnded = EveryContainerEnded(pod),
        };
    }

    /// <summary>
    /// Every container has ended or never ran. A pod without any status never reached a kubelet, if it has no node;
    /// with a node nothing is known.
    /// </summary>
    public static bool EveryContainerEnded(V1Pod pod)
    {
        if (string.IsNullOrEmpty(pod.Spec?.NodeName)) return true;
        if (pod.Status?.ContainerStatuses is not { Count: > 0 } statuses) return false;
        return statuses.Concat(pod.Status.InitContainerStatuses ?? []).All(HasEnded);
    }

    /// <summary>The container that kubectl would choose: the annotated one, else the first.</summary>
    private static V1ContainerStatus? EngineContainer(V1Pod pod)
    {
        var name = pod.Metadata.Annotations?.TryGetValue(DefaultContainerAnnotation, out var annotated) == true ? annotated : pod.Spec?.Containers?.FirstOrDefault()?.Name;
        return pod.Status?.ContainerStatuses?.FirstOrDefault(c => c.Name == name);
    }

    private static bool HasEnded(V1ContainerStatus status) =>
        status.State?.Terminated is not null || (status.State?.Running is null && status.LastState?.Running is null && string.IsNullOrEmpty(status.ContainerID));

    private static ContainerState State(V1ContainerState? state) =>
        state?.Running is not null ? ContainerState.Running
        : state?.Terminated is not null ? ContainerState.Terminated
        : state?.Waiting is not null ? ContainerState.Waiting
        : ContainerState.Unknown;

    private static string? Text(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
