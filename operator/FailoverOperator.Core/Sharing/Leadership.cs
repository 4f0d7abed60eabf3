using FailoverOperator.Api;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Core.Sharing;

/// <summary>
/// Whom the members elected. Invariant I6: traffic never goes to a lower term than one that was published; of two that say that they
/// lead the one of the higher term does, and where that decides nothing, neither. Closed: nested types only.
/// </summary>
public abstract record Leadership
{
    private Leadership()
    {
    }

    public static Leadership Of(GroupObservation group, IReadOnlyList<(Member Member, Membership Membership)> census)
    {
        var claims = census.Where(c => c.Membership is Membership.Counted { Leads: true }).Select(c => (c.Member, ((Membership.Counted)c.Membership).Term)).ToList();
        if (claims.Count == 0) return new Nobody(Reasons.NoLeader, "no member says that it leads");
        if (claims.Max(c => c.Term) is not { } top)
        {
            return new Nobody(Reasons.NoLeader,
                $"{Names(claims.Select(c => c.Member))} says that it leads and tells no term (field term of the hook status), so that it could have been replaced long ago");
        }
        var highest = claims.Where(c => c.Term == top).Select(c => c.Member).ToList();
        if (highest is not [var leader])
            return new Split($"{Names(highest)} all say that they lead in term {top}: neither gets traffic until one of them leads in a higher term");
        var published = SlotHolder.Of(group).NextTerm - 1;
        if (top < published)
        {
            return new Nobody(Reasons.StaleLeader,
                $"{leader.Name} leads in term {top}, and term {published} was published before; if the workload was made anew, remove the annotation and the label "
                + $"{ApiGroup.TermLabel} from its Services and pods");
        }
        return group.Members.FirstOrDefault(m => m.Uid != leader.Uid && m.RoleLabel == RoleLabels.Active && m.TermLabel == top) is { } before
            ? new Nobody(Reasons.SplitBrainSuspected,
                $"{leader.Name} says that it leads in term {top}, which {before.Name} led in; a term has one leader: let the hook status tell one that grows with each election")
            : new Leader(leader, top);
    }

    private static string Names(IEnumerable<Member> members) => string.Join(" and ", members.Select(m => m.Name));

    public sealed record Leader(Member Member, long Term) : Leadership;

    /// <summary>Whoever had the traffic keeps it: it may be at work, and nobody else is known to be.</summary>
    /// <param name="Reason">CamelCase, see <see cref="Reasons"/>.</param>
    public sealed record Nobody(string Reason, string Message) : Leadership;

    /// <summary>Two lead in the same term. Neither is believed.</summary>
    public sealed record Split(string Message) : Leadership;
}
