using System.Collections.Concurrent;

namespace FailoverOperator.Observing;

/// <summary>What the memories of single subjects have in common.</summary>
internal static class Memories
{
    /// <summary>Forgets everything but these. Mostly there is nothing to forget, and to find that out costs no copy of anything.</summary>
    public static void KeepOnly<TState>(this ConcurrentDictionary<string, TState> known, IReadOnlyCollection<string> subjects)
    {
        foreach (var (subject, _) in known)
            if (!subjects.Contains(subject)) known.TryRemove(subject, out _);
    }
}
