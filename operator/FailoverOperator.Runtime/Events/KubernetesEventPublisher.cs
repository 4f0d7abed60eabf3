using System.Globalization;
using FailoverOperator.Runtime.Controllers;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace FailoverOperator.Runtime.Events;

/// <summary>Writes <c>events.k8s.io/v1</c> events. An event that cannot be written is logged, and that is all.</summary>
/// <param name="instance">Who reports, such as the operator's pod name.</param>
public sealed partial class KubernetesEventPublisher(IKubernetesApi api, string controller, string instance, TimeProvider time, ILogger logger)
{
    /// <summary>The server refuses longer notes.</summary>
    private const int MaxNoteLength = 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private int _sequence;

    /// <inheritdoc cref="EventPublisher"/>
    public async Task PublishAsync(
        IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type,
        IReadOnlyDictionary<string, string>? annotations, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await api.CreateAsync(Build(entity, reason, message, type, annotations), both.Token);
        }
        catch (Exception e) when (e is KubernetesApiException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogUnwritten(reason, entity.Name(), message, e.Message);
        }
    }

    private Eventsv1Event Build(IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type, IReadOnlyDictionary<string, string>? annotations)
    {
        var now = time.GetUtcNow().UtcDateTime;
        // As client-go names them: unique by time; the number tells apart what one clock tick cannot.
        var suffix = string.Create(CultureInfo.InvariantCulture, $"{now.Ticks:x}{Interlocked.Increment(ref _sequence) & 0xffff:x4}");
        return new Eventsv1Event
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"{entity.Name()}.{suffix}",
                NamespaceProperty = entity.Namespace(),
                Annotations = annotations?.ToDictionary(a => a.Key, a => a.Value),
            },
            EventTime = now,
            ReportingController = controller,
            ReportingInstance = instance,
            Action = reason,
            Reason = reason,
            Note = message.Length <= MaxNoteLength ? message : message[..(MaxNoteLength - 1)] + "…",
            Type = type.ToString(),
            Regarding = new V1ObjectReference
            {
                ApiVersion = entity.ApiVersion,
                Kind = entity.Kind,
                NamespaceProperty = entity.Namespace(),
                Name = entity.Name(),
                Uid = entity.Uid(),
            },
        };
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "event {Reason} about {Name} ({Note}) could not be written: {Problem}")]
    private partial void LogUnwritten(string reason, string name, string note, string problem);
}
