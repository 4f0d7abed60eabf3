using FailoverOperator.EndToEnd.Scenarios;

namespace FailoverOperator.EndToEnd;

/// <summary>
/// Every scenario, once. One class, so that they run one after the other: they share the operator, and some take it or a
/// node away.
/// </summary>
public sealed class ScenarioTests(BedFixture fixture, ITestOutputHelper output) : IClassFixture<BedFixture>
{
    [Fact, Trait("Scenario", "container-crash")]
    public Task A_standby_takes_over_when_the_primarys_process_is_killed() => RunAsync<ContainerCrash>();

    [Fact, Trait("Scenario", "pod-delete")]
    public Task A_standby_takes_over_when_the_primarys_pod_is_deleted() => RunAsync<PodDelete>();

    [Fact, Trait("Scenario", "node-power-cut")]
    public Task Nobody_is_promoted_until_the_primarys_node_is_back() => RunAsync<NodePowerCut>();

    [Fact, Trait("Scenario", "node-power-cut-confirmed")]
    public Task A_person_can_state_that_the_primary_is_off() => RunAsync<NodePowerCutConfirmed>();

    [Fact, Trait("Scenario", "operator-crash-midway")]
    public Task A_restarted_operator_finishes_the_same_failover() => RunAsync<OperatorCrashMidway>();

    [Fact, Trait("Scenario", "group-deletion")]
    public Task A_deleted_group_leaves_everything_working() => RunAsync<GroupDeletion>();

    [Fact, Trait("Scenario", "bad-input")]
    public Task Bad_input_is_explained_and_heals() => RunAsync<BadInput>();

    [Fact, Trait("Scenario", "helm-uninstall")]
    public Task Clients_do_not_notice_that_the_operator_is_uninstalled() => RunAsync<HelmUninstall>();

    private async Task RunAsync<TScenario>()
        where TScenario : Scenario, new()
    {
        var scenario = new TScenario();
        if (scenario.NeedsNodePower && fixture.Bed.Cluster.Nodes is null)
        {
            output.WriteLine($"not offered here: {scenario.Name} switches nodes off, which it cannot in this cluster ({fixture.Bed.Cluster.Description})");
            return;
        }
        await scenario.RunAsync(fixture.Bed, runs: 1, output.WriteLine);
    }
}
