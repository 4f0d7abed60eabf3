using System.Globalization;
using System.Text.RegularExpressions;
using FailoverOperator.Api;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Tests.Sharing;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>The phrases by which given.yaml tells how a member is.</summary>
internal static class MemberWords
{
    /// <summary>Each phrase, and what it changes. <c>N</c> stands for a number, <c>WORD</c> for a name.</summary>
    private static readonly (string Phrase, Func<Member, string, Member> Change)[] Vocabulary =
    [
        ("at position N", (m, n) => m.Says(s => s with { PositionBytes = long.Parse(n, CultureInfo.InvariantCulture) })),
        ("in WORD", (m, log) => m.Says(s => s with { History = log, PreviousHistory = null })),
        ("which continued WORD", (m, log) => m.Says(s => s with { PreviousHistory = log })),
        ("without data", (m, _) => m.Says(s => s with { IsEmpty = true, PositionBytes = 0 })),
        ("follows WORD", (m, leader) => m.Says(s => s with { FollowsAddress = Given.Address(leader) })),
        ("no link for N s", (m, n) => m.Says(s => s with { Link = ReplicationLink.Down, LinkDownFor = Seconds(n) })),
        ("copying the data", (m, _) => m.Says(s => s with { Link = ReplicationLink.Syncing })),
        ("server restarted", (m, _) => m.Says(s => s with { Instance = $"server-2-{m.Name}" })),
        ("silent for N s", (m, n) => m.Silent(Number(n))),
        ("unreachable for N s", (m, n) => m.Unreachable(Number(n))),
        ("has acknowledged WORD", (m, holder) => m.Knows(1).Acknowledges(holder, 0.5)),
        ("refuses connections, N in a row", (m, n) => m.Refused(int.Parse(n, CultureInfo.InvariantCulture))),
        ("rejects the password", (m, _) => m.Unauthorized()),
        ("not ready for N s", (m, n) => m.NotReady(Number(n))),
        ("leads in term N", (m, n) => GivenShared.Leads(m.Name, long.Parse(n, CultureInfo.InvariantCulture))),
        ("has had the traffic since term N", (m, n) => m.Labelled(long.Parse(n, CultureInfo.InvariantCulture))),
        ("its node has been lost for N s", (m, n) => m.Silent(Number(n)).OnNode(NodeState.Absent) is var lost ? lost with { Node = lost.Node with { NotReadyFor = Seconds(n) } } : m),
        ("takes traffic", (m, _) => m with { RoleLabel = RoleLabels.Active }),
        ("is out of traffic", (m, _) => m.OutOfTraffic()),
        ("answers with an error", (m, _) => m.Fails()),
        ("cannot be asked", (m, _) => m.CannotBeAsked()),
        ("container ended", (m, _) => m.ContainerEnded()),
        ("container restarted", (m, _) => m.ContainerRestarted()),
        ("being deleted", (m, _) => m.Terminating()),
        ("evicted", (m, _) => m.Phase(PodPhase.Failed)),
        ("a new pod", (m, _) => m.Recreated()),
        ("its node is cordoned", (m, _) => m.Cordoned()),
        ("an eviction was asked for N s ago", (m, n) => m.ToBeEvicted(Number(n))),
        ("of the cold standby", (m, _) => m with { IsCold = true }),
        ("that tells no position", (m, _) => m.Says(s => s with { PositionBytes = null, Link = ReplicationLink.Unknown, FollowsAddress = null })),
        ("that tells nothing of its link", (m, _) => m.Says(s => s with { Link = ReplicationLink.Unknown })),
        ("has N s to end", (m, n) => m with { Pod = m.Pod with { GracePeriod = Seconds(n) } }),
        ("of revision WORD", (m, revision) => m.OfRevision(revision)),
        ("its zone is WORD", (m, zone) => m.InZone(zone)),
        ("its node is WORD", (m, state) => m.OnNode(Enum.Parse<NodeState>(state))),
    ];

    public static Member Read(string name, IReadOnlyList<string> phrases) =>
        phrases.Skip(1).Aggregate(Start(name, phrases[0]), Apply);

    private static Member Start(string name, string role) => role switch
    {
        "primary" => Given.Primary(name),
        "standby" => Given.Standby(name),
        "server" => GivenShared.Server(name).Unlabelled(),
        _ => throw new FormatException($"{name} must begin with primary, standby or server, not with: {role}"),
    };

    private static Member Apply(Member member, string phrase)
    {
        foreach (var (pattern, change) in Vocabulary)
        {
            var match = Regex.Match(phrase, $"^{pattern.Replace("N", @"([\d.]+)", StringComparison.Ordinal).Replace("WORD", @"(\S+)", StringComparison.Ordinal)}$");
            if (match.Success) return change(member, match.Groups[1].Value);
        }
        throw new FormatException($"not known: {phrase}; known are: {string.Join("; ", Vocabulary.Select(v => v.Phrase))}");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(Number(text));
}
