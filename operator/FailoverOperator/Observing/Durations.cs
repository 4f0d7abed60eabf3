using System.Collections.Concurrent;

namespace FailoverOperator.Observing;

/// <summary>Says for how long something has been as it is, as seen by this process. A new state starts anew.</summary>
public sealed class Durations<TState>(OperatorClock clock)
    where TState : notnull
{
    private readonly ConcurrentDictionary<string, (TState State, TimeSpan Since)> _since = new();

    public TimeSpan Of(string subject, TState state)
    {
        var entry = _since.AddOrUpdate(subject, _ => (state, clock.Now), (_, before) => before.State.Equals(state) ? before : (state, clock.Now));
        return clock.Now - entry.Since;
    }

    /// <summary>Forgets everything but these.</summary>
    public void Keep(IReadOnlyCollection<string> subjects) => _since.KeepOnly(subjects);
}
