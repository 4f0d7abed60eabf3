using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Reporting;

/// <summary>Who is active, in one line: a column of kubectl shows one value, never all of a list.</summary>
public static class ActiveColumn
{
    /// <summary>More would make the table unreadable.</summary>
    private const int Shown = 5;

    /// <summary>Null: nobody.</summary>
    public static string? Of(IReadOnlyList<SlotStatus> slots, IReadOnlyList<MemberStatus> members)
    {
        // Without slots all who take traffic are active.
        var names = slots.Count > 0 ? [.. slots.Select(s => s.Holder)] : members.Where(m => m.Role == MemberRole.Active).Select(m => (string?)m.Name).ToList();
        if (names.All(name => name is null)) return null;
        var shown = string.Join(',', names.Take(Shown).Select(name => name ?? "<none>"));
        return names.Count > Shown ? $"{shown} + {names.Count - Shown} more..." : shown;
    }
}
