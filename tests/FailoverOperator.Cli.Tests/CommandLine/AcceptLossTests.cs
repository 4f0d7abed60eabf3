using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.CommandLine;

/// <summary>accept-loss: what was shown is accepted, and nothing else.</summary>
public sealed class AcceptLossTests
{
    private const string Annotation = "failover-operator.io/data-loss-accepted";
    private const string Word = "db-1-7@2026-03-01T11:50:00Z";

    private readonly Terminal _terminal = new();

    public AcceptLossTests() => _terminal.Cluster.Seed(new RedundancyGroup
    {
        Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop", Annotations = new Dictionary<string, string> { [Annotation] = "db-0-3@then, db-1-6@before" } },
        Spec = new RedundancyGroupSpec { WorkloadRef = new WorkloadReference { Name = "db" } },
        Status = new RedundancyGroupStatus { Slots = [new SlotStatus { Name = "0", Holder = "db-a" }, Waiting(Word)] },
    });

    [Theory]
    [InlineData("y")]
    [InlineData(" YES ")]
    public async Task What_was_shown_is_accepted_beside_what_was_accepted_for_other_slots(string typed)
    {
        _terminal.Types = () => typed;
        var answer = await Run("accept-loss db");
        Assert.Equal(0, answer.ExitCode);
        Assert.Contains("db-b misses 70 bytes", answer.Error);
        Assert.Equal($"db-0-3@then,{Word}", Accepted);
    }

    [Theory]
    [InlineData("n")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("maybe")]
    public async Task Anything_but_yes_is_no(string? typed)
    {
        _terminal.Types = () => typed;
        var answer = await Run("accept-loss db");
        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("nothing was changed", answer.Error);
        Assert.DoesNotContain(Word, Accepted);
    }

    [Fact]
    public async Task Where_nobody_can_be_asked_it_has_to_be_said_beforehand()
    {
        var answer = await Run("accept-loss db");
        Assert.Equal(2, answer.ExitCode);
        Assert.Contains("--yes", answer.Error);
        Assert.DoesNotContain(Word, Accepted);
        Assert.Equal(0, (await Run("accept-loss db --yes")).ExitCode);
        Assert.Contains(Word, Accepted);
    }

    [Fact]
    public async Task What_has_become_another_loss_while_a_person_thought_is_not_accepted()
    {
        _terminal.Types = () =>
        {
            Become(Waiting("db-1-7@2026-03-01T11:59:00Z"));
            return "y";
        };
        var answer = await Run("accept-loss db");
        Assert.Equal(1, answer.ExitCode);
        Assert.Contains("has gone on meanwhile", answer.Error);
        Assert.DoesNotContain("db-1-7", Accepted);
    }

    [Fact]
    public async Task A_write_in_between_has_it_looked_at_again()
    {
        InBetween(2, () => _terminal.Cluster.Change<RedundancyGroup>("shop", "db", g => g.Metadata.Annotations[Annotation] = "db-0-4@now"));
        Assert.Equal(0, (await Run("accept-loss db --yes")).ExitCode);
        Assert.Equal($"db-0-4@now,{Word}", Accepted);

        // And what has changed by then is not accepted.
        Become(Waiting("db-1-8@2026-03-01T11:59:00Z"));
        InBetween(1, () => Become(new SlotStatus { Name = "1", Holder = "db-b" }));
        Assert.Equal(1, (await Run("accept-loss db --yes")).ExitCode);
        Assert.DoesNotContain("db-1-8", Accepted);
    }

    [Fact]
    public async Task A_group_that_is_written_all_the_time_is_given_up()
    {
        _terminal.Cluster.Faults.FailNext(ApiFailure.Conflict, call => call.Verb == "patch", times: 100);
        Assert.Equal(3, (await Run("accept-loss db --yes")).ExitCode);
    }

    private void InBetween(int times, Action change) => _terminal.Cluster.Faults.Before = (call, _) =>
    {
        if (call.Verb == "patch" && times-- > 0) change();
        return Task.CompletedTask;
    };

    private static SlotStatus Waiting(string word) =>
        new() { Name = "1", Holder = "db-b", LossToAccept = new LossToAccept { Word = word, Message = "db-b misses 70 bytes" } };

    private void Become(SlotStatus slot) =>
        _terminal.Cluster.Change<RedundancyGroup>("shop", "db", g => g.Status = g.Status! with { Slots = [g.Status.Slots[0], slot] });

    private string Accepted => _terminal.Cluster.Peek<RedundancyGroup>("shop", "db")!.Metadata.Annotations[Annotation];

    private Task<Answer> Run(string command) => _terminal.RunAsync(command, TestContext.Current.CancellationToken);
}
