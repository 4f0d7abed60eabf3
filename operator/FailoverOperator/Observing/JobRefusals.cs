using System.Collections.Concurrent;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Observing;

/// <summary>
/// Fencing Jobs that the API server would not take. For a while they count as failed, so that the next way to fence has its turn; then they
/// are tried again, for somebody may have mended what was wrong.
/// </summary>
public sealed class JobRefusals(OperatorClock clock)
{
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, (string Message, TimeSpan At)> _refused = new();

    public void Note(string failover, string message) => _refused[failover] = (message, clock.Now);

    /// <summary>Null: none that counts.</summary>
    public JobObservation? Of(string failover) =>
        _refused.TryGetValue(failover, out var known) && clock.Now - known.At < Memory ? new JobObservation.Failed(known.Message) : null;
}
