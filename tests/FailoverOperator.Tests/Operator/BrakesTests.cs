using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>The brakes, from the records that one operator writes and the next one reads.</summary>
public sealed class BrakesTests
{
    private const double Tolerance = 0.5;

    [Fact]
    public void A_second_failover_waits_for_the_cooldown_and_a_new_operator_goes_on_waiting()
    {
        using var world = Running(new ProtectionSpec { CooldownSeconds = 60 });
        world.CutPower("node-1");
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Completed }], "the first failover");
        var ended = world.Now;
        world.CutPower("node-2");
        world.Until(() => world.Condition("Suppressed") == "True CoolingDown", "the second failover is kept back");

        world.KillOperator();
        world.StartOperator();
        world.Until(() => world.Failovers.Count == 3, "the second failover");
        Assert.InRange((world.Now - ended).TotalSeconds, 60 - Tolerance, 60 + Tolerance);
        world.Until(() => world.Failovers[^1].Status?.Phase == FailoverPhase.Completed && world.Condition("Suppressed") == "False NotSuppressed", "it goes on");
        Assert.Equal("db-2", world.Failovers[^1].Status!.Candidate!.Name);
    }

    [Fact]
    public void The_failed_primary_comes_back_to_its_place_meanwhile()
    {
        using var world = Running(new ProtectionSpec());
        Delete(world, "db-0");
        world.UntilSteady("db-1");
        Delete(world, "db-1");
        world.Until(() => world.Failovers is [_, _, { Status.Phase: FailoverPhase.Completed }], "another term", TimeSpan.FromSeconds(10));
        var again = world.Failovers[^1];
        Assert.Equal((FailoverType.Election, "db-1"), (again.Spec.Type, again.Status!.Candidate!.Name));
    }

    [Fact]
    public void An_exhausted_budget_waits_for_a_persons_word()
    {
        using var world = Running(new ProtectionSpec { CooldownSeconds = 0, MaxFailoversPerHour = 1 });
        world.CutPower("node-1");
        world.Until(() => world.Failovers is [_, { Status.Phase: FailoverPhase.Completed }], "the first failover");
        world.CutPower("node-2");
        world.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal("True BudgetExhausted", world.Condition("Suppressed"));
        Assert.Equal(2, world.Failovers.Count);
        Assert.Contains("""redundancy_failovers_suppressed_total{namespace="shop",group="db",reason="BudgetExhausted"} 1""", world.Operator.Metrics());

        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Metadata.Annotations = new Dictionary<string, string> { [ApiGroup.AcknowledgedAnnotation] = "db-0-2" });
        world.Until(() => world.Failovers.Count == 3, "the person's word", TimeSpan.FromSeconds(1));
    }

    private static OperatorWorld Running(ProtectionSpec protection)
    {
        // A node without power gives no proof; what these tests are about comes before it.
        var world = new OperatorWorld(spec => spec with
        {
            Protection = protection,
            Fencing = spec.Fencing with { WhenUnproven = UnprovenFence.Proceed, TimeoutSeconds = 1 },
        });
        world.StartOperator();
        world.UntilSteady("db-0");
        return world;
    }

    private static void Delete(OperatorWorld world, string pod) => world.Api.Change<V1Pod>("shop", pod, p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
}
