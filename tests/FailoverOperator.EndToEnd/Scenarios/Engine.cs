using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>What the servers of a group with agents are.</summary>
/// <param name="Name">First word of the scenarios' names.</param>
/// <param name="LosesNothing">Every acknowledged write survives a failover.</param>
public sealed record Engine(string Name, bool LosesNothing, Func<TestCluster, TestNamespace, MemberGroup> Group)
{
    public static IReadOnlyList<Engine> All { get; } =
    [
        new("pg", LosesNothing: true, (cluster, scope) => new PostgreSqlGroup(cluster, scope)),
        new("redis", LosesNothing: false, (cluster, scope) => new RedisAgentGroup(cluster, scope)),
    ];

    public static Engine Named(string name) => All.FirstOrDefault(engine => engine.Name == name)
        ?? throw new ArgumentException($"there is no engine {name}; there are: {string.Join(", ", All.Select(engine => engine.Name))}", nameof(name));
}
