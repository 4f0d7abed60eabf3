using FailoverOperator.EndToEnd.Scenarios;
using Xunit.Sdk;
using Xunit.v3;

namespace FailoverOperator.EndToEnd;

/// <summary>
/// The scenarios, or the most telling ones of those that every engine has. They share the operator: those that take it or a node
/// away run alone, one after the other; the others run beside each other.
/// </summary>
[TestMethodOrderer(typeof(InTurn))]
public sealed class ScenarioTests(BedFixture fixture, ITestOutputHelper output) : IClassFixture<BedFixture>
{
    [Fact, Trait("Scenario", "container-crash")]
    public Task A_standby_takes_over_when_the_primarys_process_is_killed() => RunAsync("container-crash");

    [Fact, Trait("Scenario", "pod-delete")]
    public Task A_standby_takes_over_when_the_primarys_pod_is_deleted() => RunAsync("pod-delete");

    [Fact, Trait("Scenario", "bad-input")]
    public Task Bad_input_is_explained_and_heals() => RunAsync("bad-input");

    [Fact, Trait("Scenario", "redis-process-crash")]
    public Task With_agents_a_standby_takes_over_when_the_server_is_killed() => RunAsync("redis-process-crash");

    [Fact, Trait("Scenario", "nplusm-shards")]
    public Task Two_spares_take_the_slots_of_two_members_that_are_lost_at_once() => RunAsync("nplusm-shards");

    [Fact, Trait("Scenario", "group-deletion")]
    public Task A_deleted_group_leaves_everything_working() => RunAsync("group-deletion");

    [Fact, Trait("Scenario", "pg-process-crash")]
    public Task No_acknowledged_row_is_lost_when_PostgreSQL_is_killed() => StrikePostgreSqlAsync(Fault.Named("process-crash"));

    [Fact, Trait("Scenario", "operator-crash-midway")]
    public Task A_restarted_operator_finishes_the_same_failover() => RunAsync("operator-crash-midway");

    [Fact, Trait("Scenario", "pg-api-down")]
    public Task PostgreSQL_goes_on_without_the_API_server() => StrikePostgreSqlAsync(Fault.Named("api-down"));

    [Fact, Trait("Scenario", "node-power-cut")]
    public Task Nobody_is_promoted_until_the_primarys_node_is_back_or_a_person_states_that_it_is_off() => RunAsync("node-power-cut");

    [Fact, Trait("Scenario", "pg-node-power-cut")]
    public Task No_acknowledged_row_is_lost_when_the_node_of_PostgreSQL_loses_power() => StrikePostgreSqlAsync(Fault.Named("node-power-cut"));

    [Fact, Trait("Scenario", "helm-uninstall")]
    public Task Clients_do_not_notice_that_the_operator_is_uninstalled() => RunAsync("helm-uninstall");

    /// <summary>The order in which the least is waited for.</summary>
    public sealed class InTurn : ITestMethodOrderer
    {
        private static readonly string[] Turns =
        [
            "container-crash", "bad-input", "redis-process-crash", "group-deletion",
            "nplusm-shards", "pg-process-crash", "pod-delete", "operator-crash-midway", "pg-api-down", "node-power-cut", "pg-node-power-cut", "helm-uninstall",
        ];

        public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
            where TTestMethod : notnull, ITestMethod => [.. testMethods.OrderBy(method => Array.IndexOf(Turns, method?.Traits["Scenario"].Single()))];
    }

    private static Scenario Named(string name) => Scenario.All.First(scenario => scenario.Name == name);

    private async Task RunAsync(string name)
    {
        var scenario = Named(name);
        if (IsOffered(scenario.Name, scenario.NeedsNodePower)) await fixture.RunAsync(scenario, output.WriteLine);
    }

    private async Task StrikePostgreSqlAsync(Fault fault)
    {
        if (IsOffered($"pg-{fault.Name}", fault.NeedsNodePower)) await fixture.StrikeAsync(Engine.Named("pg"), fault, output.WriteLine);
    }

    private bool IsOffered(string name, bool needsNodePower)
    {
        if (!needsNodePower || fixture.Bed.Cluster.Nodes is not null) return true;
        output.WriteLine($"not offered here: {name} switches nodes off, which it cannot in this cluster ({fixture.Bed.Cluster.Description})");
        return false;
    }
}
