using FailoverOperator.Api.RedundancyGroups;

namespace FailoverOperator.Core.Observations;

/// <summary>A group that another one depends on, as its objects in the API server tell, whichever replica of the operator owns it.</summary>
/// <param name="Failover">Name of the one that runs. Null: none does.</param>
/// <param name="Available">Its condition. Null: nothing was reported yet.</param>
public sealed record DependencyObservation(string Name, string? Failover, Condition? Available);

/// <summary>For how long the primary has surely failed, as seen by this process.</summary>
/// <param name="Since">The same as a time, for people.</param>
/// <param name="UnwellFor">For how long there have been signs of it.</param>
public sealed record FailureTime(TimeSpan For, DateTimeOffset Since, TimeSpan UnwellFor);

/// <summary>Which groups of the namespace depend on which, as far as one can get from <paramref name="Self"/>.</summary>
/// <param name="Edges">Of each group that exists: whom it names.</param>
public sealed record DependencyGraph(string Self, IReadOnlyDictionary<string, IReadOnlyList<string>> Edges)
{
    public static DependencyGraph None { get; } = new("", new Dictionary<string, IReadOnlyList<string>>());

    /// <summary>Groups that are named and do not exist.</summary>
    public IReadOnlyList<string> Missing => [.. Of(Self).Where(name => !Edges.ContainsKey(name))];

    /// <summary>The shortest way from the group back to itself, which it begins and ends with. Null: there is none.</summary>
    public IReadOnlyList<string>? Cycle => Of(Self).Select(first => Way(first)).OfType<IReadOnlyList<string>>().MinBy(way => way.Count) is { } back ? [Self, .. back] : null;

    /// <summary>The other group waits for this one, too, if only by way of others: of the two nobody can be the first.</summary>
    public bool IsCircular(string name) => Way(name) is not null;

    /// <summary>From there to the group.</summary>
    private IReadOnlyList<string>? Way(string from)
    {
        var cameFrom = new Dictionary<string, string?> { [from] = null };
        var next = new Queue<string>([from]);
        while (next.TryDequeue(out var at))
        {
            if (at == Self) return Trace(cameFrom, at);
            foreach (var to in Of(at).Where(to => cameFrom.TryAdd(to, at))) next.Enqueue(to);
        }
        return null;
    }

    private static IReadOnlyList<string> Trace(Dictionary<string, string?> cameFrom, string end)
    {
        var way = new List<string>();
        for (var at = end; at is not null; at = cameFrom[at]) way.Add(at);
        way.Reverse();
        return way;
    }

    private IReadOnlyList<string> Of(string name) => Edges.GetValueOrDefault(name) ?? [];
}
