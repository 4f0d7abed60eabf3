using System.Security.Cryptography;
using System.Text;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>Members as PostgreSQL knows them.</summary>
internal static class MemberNames
{
    /// <summary>What the agents may create and drop; slots of other names are their users'.</summary>
    public const string SlotPrefix = "failover_";

    /// <summary>
    /// Names nobody: a standby that is to wait for standbys once it is promoted waits for this one until it knows for whom.
    /// The server waits at all only if the checkpointer has seen a list that is not empty, which takes it a while during a
    /// checkpoint; with this one it has seen one from the beginning, and no write of a new primary slips through.
    /// </summary>
    public const string WaitForNobodyYet = "ANY 1 (\"failover-operator: nobody yet\")";

    private const int MaxLength = 63;

    /// <summary>The name by which a standby is waited for. PostgreSQL would cut a longer one, and never find it.</summary>
    public static string Application(string pod) => Bounded(pod, pod);

    /// <summary>Small letters, digits and underscores only.</summary>
    public static string Slot(string pod)
    {
        var letters = pod.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '_');
        return Bounded(SlotPrefix + new string([.. letters]), pod);
    }

    /// <summary>
    /// The value of synchronous_standby_names. It names every member but this one; where they are fewer than to be waited for, the
    /// server waits for good rather than acknowledge what may be lost.
    /// </summary>
    public static string Synchronous(LeaseTerms terms, string self)
    {
        if (terms.SynchronousStandbys <= 0) return "";
        var others = terms.Members.Where(m => m.Name != self).Select(m => Quoted(Application(m.Name))).ToList();
        if (others.Count == 0) return WaitForNobodyYet;
        return FormattableString.Invariant($"ANY {terms.SynchronousStandbys} ({string.Join(", ", others)})");
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Bounded(string name, string pod)
    {
        if (name.Length <= MaxLength) return name;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(pod)))[..8];
        return $"{name[..(MaxLength - 9)]}_{hash}";
    }
}
