using System.Threading.Channels;
using FailoverOperator.Runtime.Controllers;
using k8s;
using k8s.Models;

namespace FailoverOperator.Recording;

/// <summary>
/// Sends events one after the other, beside the work: a slow API server must not slow a failover down for the sake of
/// an event. Bounded; the oldest are dropped.
/// </summary>
public sealed class EventOutbox(EventPublisher publish)
{
    private const int Capacity = 1000;

    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public void Post(IKubernetesObject<V1ObjectMeta> entity, string reason, string message, EventType type, IReadOnlyDictionary<string, string>? annotations = null) =>
        _letters.Writer.TryWrite(new Letter(entity, reason, message, type, annotations));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // ReadAllAsync would go on elsewhere than where this was begun.
            var letter = await _letters.Reader.ReadAsync(cancellationToken);
            await publish(letter.Entity, letter.Reason, letter.Message, letter.Type, letter.Annotations, cancellationToken);
        }
    }

    private sealed record Letter(IKubernetesObject<V1ObjectMeta> Entity, string Reason, string Message, EventType Type, IReadOnlyDictionary<string, string>? Annotations);
}
