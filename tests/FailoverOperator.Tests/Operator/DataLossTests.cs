using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>What nobody may lose without a person's word, and that word.</summary>
public sealed class DataLossTests
{
    [Fact]
    public void Beyond_the_objective_a_person_accepts_the_loss_as_the_condition_says_and_the_record_keeps_it()
    {
        using var world = new OperatorWorld();
        world.StartOperator();
        world.UntilSteady("db-0");
        foreach (var standby in new[] { "db-1", "db-2" }) world.Server(standby).IsLate = true;
        for (var second = 0; second < 45; second++)
        {
            world.Server("db-0").Position += 100;
            world.Pass(TimeSpan.FromSeconds(1));
        }
        world.NewPodsAreBroken = true;
        world.Server("db-2").Position += 50;
        world.Server("db-0").Up = false;
        world.Api.Change<V1Pod>("shop", "db-0", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch);
        world.Until(() => world.Condition("Progressing") == "False BeyondRpo", "nobody is within the objective");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Single(world.Failovers);

        const string Command = "; to accept the loss, run: kubectl annotate rg db --overwrite ";
        var annotation = world.Group.Status!.Conditions.Single(c => c.Type == "Progressing").Message.Split(Command)[1].Split('=');
        // The same word as in the message, and what is lost without it, for programs.
        var asked = Assert.Single(world.Group.Status!.Slots).LossToAccept!;
        Assert.Equal(annotation[1], asked.Word);
        Assert.EndsWith("beyond)", asked.Message, StringComparison.Ordinal);
        Accept(world, annotation[0], "db-0-7");
        world.Pass(TimeSpan.FromMinutes(1));
        Assert.Single(world.Failovers);

        Accept(world, annotation[0], annotation[1]);
        world.Until(() => world.Failovers[^1] is { Spec.Term: 2, Status.Phase: FailoverPhase.Completed }, "the best of those that are left is promoted");
        Assert.Null(Assert.Single(world.Group.Status!.Slots).LossToAccept);
        var status = world.Failovers[^1].Status!;
        Assert.Equal(("db-2", TargetVerdict.RpoMissed), (status.Candidate!.Name, status.Targets));
        Assert.StartsWith("db-2 misses more than the last 30 s of writes (", status.AcceptedLoss, StringComparison.Ordinal);
        world.Until(() => world.Condition("TargetsMet") == $"False {Reasons.RpoExceeded}", "the group says so");
    }

    private static void Accept(OperatorWorld world, string annotation, string value) =>
        world.Api.Change<RedundancyGroup>("shop", "db", g => g.Metadata.Annotations = new Dictionary<string, string> { [annotation] = value });
}
