using System.Globalization;

namespace FailoverOperator.Agent.Supervision;

/// <summary>A process as the kernel shows it.</summary>
/// <param name="IsDead">It has ended, and only waits for its parent to be told.</param>
internal readonly record struct ProcessEntry(int Id, int Parent, bool IsDead);

/// <summary>What runs in this container: all that <c>/proc</c> shows.</summary>
internal static class ProcessTable
{
    public const int FirstProcess = 1;

    public static List<ProcessEntry> Read()
    {
        var found = new List<ProcessEntry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Read(id) is { } entry)
                found.Add(entry);
        return found;
    }

    /// <summary>
    /// Every process that may write by order of <paramref name="owner"/>. As first process it owns the whole container, else all that
    /// descends from it: it is their subreaper, so that the chain of parents never breaks.
    /// </summary>
    public static List<ProcessEntry> OwnedBy(int owner, ICollection<int> spared)
    {
        var all = Read();
        var owned = owner == FirstProcess ? all : Below(owner, all);
        return [.. owned.Where(p => p.Id != owner && !spared.Contains(p.Id))];
    }

    /// <summary>The descendants of a process.</summary>
    public static List<ProcessEntry> Below(int root, List<ProcessEntry> all)
    {
        var children = all.ToLookup(p => p.Parent);
        var found = new List<ProcessEntry>();
        var open = new Queue<int>([root]);
        while (open.TryDequeue(out var parent))
            foreach (var child in children[parent])
            {
                found.Add(child);
                open.Enqueue(child.Id);
            }
        return found;
    }

    /// <summary>Those that were started with an entry in their environment that begins like this, whoever their parents are now.</summary>
    public static List<ProcessEntry> Carrying(string mark) => [.. Read().Where(p => Carries(p.Id, mark))];

    /// <summary>False where that cannot be read.</summary>
    public static bool Carries(int id, string mark)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/environ").Split('\0').Any(entry => entry.StartsWith(mark, StringComparison.Ordinal));
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Null: there is no such process (any more).</summary>
    private static ProcessEntry? Read(int id)
    {
        try
        {
            // pid (name) state parent ...; the name may contain anything.
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 3);
            // The first thread of a process can end before the others; then the process is still there.
            var isDead = fields[0] is "X" || (fields[0] is "Z" && Directory.GetDirectories($"/proc/{id}/task").Length <= 1);
            return new ProcessEntry(id, int.Parse(fields[1], CultureInfo.InvariantCulture), isDead);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
