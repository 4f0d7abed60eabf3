using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Decisions;

/// <summary>
/// Invariant I5: with N members, of which W have every acknowledged write, whoever has the most of any R members misses none, if and
/// only if R + W &gt; N. It must hold for every set of terms that the last holder may have lived by.
/// </summary>
public static class Quorum
{
    /// <summary>Why not enough members have been heard to promote one, and who must come back. Null: enough have been.</summary>
    /// <param name="terms">What the last holder may have lived by.</param>
    /// <param name="heard">Members that told their position after the fence, in the log of the old primary, that one not among them.</param>
    public static string? Missing(IEnumerable<LeaseTerms> terms, IReadOnlyList<Member> heard) =>
        terms.Select(t => Missing(t, heard)).FirstOrDefault(m => m is not null);

    private static string? Missing(LeaseTerms terms, IReadOnlyList<Member> heard)
    {
        // By name: a pod that was made anew under its name has its volume, and what it acknowledged; if not, it copies everything first.
        var (n, w) = (terms.Members.Count, terms.SynchronousStandbys + 1);
        var r = terms.Members.Count(m => heard.Any(h => h.Name == m.Name));
        if (w == 1 || r + w > n) return null;
        var absent = terms.Members.Where(m => heard.All(h => h.Name != m.Name)).Select(m => m.Name);
        return $"each acknowledged write is in {w} of {n} members, so {n - w + 1} beside the old primary must be heard to find them all, "
            + $"and {r} are; it takes {n - w + 1 - r} more of {string.Join(", ", absent)}";
    }
}
