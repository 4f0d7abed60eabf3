using System.Globalization;
using System.Text.RegularExpressions;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>The phrases by which given.yaml tells what became of the lease, one after the other.</summary>
internal static class LeaseWords
{
    /// <summary>Each phrase, and what it changes. <c>N</c> stands for a number, <c>WORD</c> for a name.</summary>
    private static readonly (string Phrase, Func<GroupObservation, string, GroupObservation> Change)[] Vocabulary =
    [
        ("renewed N s ago", (g, n) => g.Unchanged(double.Parse(n, CultureInfo.InvariantCulture))),
        ("unchanged for N s", (g, n) => g.Unchanged(double.Parse(n, CultureInfo.InvariantCulture))),
        ("released, WORD", (g, reason) => g.Leased(l => l.Released(new ReleaseNote(l.Holder ?? GivenAgents.Identity("db-0"), l.Term, Enum.Parse<ReleaseReason>(reason), null, null)))),
        ("revoked", (g, _) => g.Leased(ElectorProtocol.Revoke)),
        ("deleted", (g, _) => g.Leased(_ => null)),
        ("edited to name WORD", (g, who) => g.Leased(l => l with { Holder = GivenAgents.Identity(who) })),
        ("given to WORD", (g, who) => g.Leased(l => GivenAgents.Lease(g, who, 2) with { Accepted = null })),
        ("accepted without WORD", (g, who) => g.Leased(l => l with { Accepted = l.Accepted! with { Members = [.. l.Accepted.Members.Where(m => m.Name != who)] } })),
    ];

    /// <param name="holder">Who was chosen last. Null: nobody ever was, and there is no lease.</param>
    /// <param name="members">All who are members, those that are gone among them.</param>
    public static GroupObservation Read(GroupObservation group, string? holder, IEnumerable<string> members, IReadOnlyList<string> phrases)
    {
        var all = group with { Members = [.. members.Order(StringComparer.Ordinal).Select(name => Given.Standby(name))] };
        var held = group with { Lease = new LeaseObservation(holder is null ? null : GivenAgents.Lease(all, holder), TimeSpan.FromSeconds(0.4)) };
        return phrases.Aggregate(held, Apply);
    }

    private static GroupObservation Apply(GroupObservation group, string phrase)
    {
        foreach (var (pattern, change) in Vocabulary)
        {
            var match = Regex.Match(phrase, $"^{pattern.Replace("N", @"([\d.]+)", StringComparison.Ordinal).Replace("WORD", @"(\S+)", StringComparison.Ordinal)}$");
            if (match.Success) return change(group, match.Groups[1].Value);
        }
        throw new FormatException($"not known: {phrase}; known are: {string.Join("; ", Vocabulary.Select(v => v.Phrase))}");
    }
}
