using System.Text;

namespace FailoverOperator.Core.Ownership;

/// <summary>
/// Rendezvous hashing: who sees the same live replicas gives each group the same order of them, without asking anybody. A replica that
/// comes or goes moves only those groups that it gets or had.
/// </summary>
public static class Rendezvous
{
    /// <summary>The owner first, then who stands in for it, in order.</summary>
    public static IReadOnlyList<string> Order(string group, IEnumerable<string> replicas) =>
        [.. replicas.Distinct().OrderByDescending(replica => Weight(group, replica)).ThenBy(replica => replica, StringComparer.Ordinal)];

    /// <summary>The same in every process: not <see cref="object.GetHashCode"/>, which is not.</summary>
    private static ulong Weight(string group, string replica)
    {
        // FNV-1a, and a finalizer that spreads what differs in the last letters only over all bits.
        var hash = 14695981039346656037UL;
        foreach (var octet in Encoding.UTF8.GetBytes($"{group}\n{replica}")) hash = (hash ^ octet) * 1099511628211UL;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);
    }
}
