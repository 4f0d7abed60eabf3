using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.CommandLine;

public sealed class SwitchoverTests
{
    private readonly Terminal _terminal = new();

    public SwitchoverTests() => _terminal.Cluster.Seed(new RedundancyGroup
    {
        Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" },
        Spec = new RedundancyGroupSpec { WorkloadRef = new WorkloadReference { Name = "db" } },
        Status = new RedundancyGroupStatus { Slots = [new SlotStatus { Name = "0", Holder = "db-0", Term = 1 }] },
    });

    [Fact]
    public async Task What_was_typed_is_what_is_asked_for()
    {
        var answer = await _terminal.RunAsync(
            "switchover db --to db-1 --reason \"new disks\" --at 2026-03-02T03:00:00+01:00 --deadline-seconds 90", TestContext.Current.CancellationToken);
        Assert.Equal(0, answer.ExitCode);
        var request = Assert.Single(_terminal.Cluster.PeekAll<Failover>());
        Assert.Equal("db", request.Metadata.Labels["failover-operator.io/group"]);
        Assert.Contains(request.Metadata.Name, answer.Output);
        Assert.Equivalent(new FailoverSpec
        {
            GroupRef = new GroupReference { Name = "db" },
            Type = FailoverType.Switchover,
            Target = "db-1",
            Reason = "new disks",
            ExpectedHolder = "db-0",
            ScheduledAt = "2026-03-02T02:00:00Z",
            DeadlineSeconds = 90,
        }, request.Spec);
    }

    [Theory]
    [InlineData(FailoverPhase.Completed, "Verified", "--wait", 0)]
    [InlineData(FailoverPhase.Aborted, "SwitchedBack", "--wait", 1)]
    [InlineData(FailoverPhase.Failed, "HolderChanged", "--wait", 1)]
    [InlineData(FailoverPhase.Completed, "nothing was changed; it would make db-1 the primary in place of db-0, in term 2", "--dry-run", 0)]
    [InlineData(FailoverPhase.Completed, "nothing was changed; it would wait", "--dry-run", 1)]
    public async Task The_end_is_waited_for_and_tells_how_it_was(FailoverPhase phase, string message, string option, int exitCode)
    {
        // As if the operator were done before anybody asks.
        _terminal.Cluster.Faults.Before = (call, _) =>
        {
            if (call is { Verb: "get", Kind: "Failover" }) End(call.Name, phase, message);
            return Task.CompletedTask;
        };
        var answer = await _terminal.RunAsync($"switchover db {option}", TestContext.Current.CancellationToken);
        Assert.Equal(exitCode, answer.ExitCode);
        Assert.Contains(message, answer.Output);
    }

    [Theory]
    [InlineData(ApiFailure.Invalid, 2, "")]
    [InlineData(ApiFailure.AlreadyExists, 2, "")]
    [InlineData(ApiFailure.Forbidden, 3, "does not allow it")]
    [InlineData(ApiFailure.Unreachable, 3, "unknown whether the request was made")]
    public async Task A_request_that_cannot_be_made_is_not_made(ApiFailure failure, int exitCode, string expected)
    {
        _terminal.Cluster.Faults.FailNext(failure, call => call.Verb == "create");
        var answer = await _terminal.RunAsync("switchover db", TestContext.Current.CancellationToken);
        Assert.Equal(exitCode, answer.ExitCode);
        Assert.Contains(expected, answer.Error);
        Assert.Empty(_terminal.Cluster.PeekAll<Failover>());
    }

    private void End(string name, FailoverPhase phase, string message) =>
        _terminal.Cluster.Change<Failover>("shop", name, f => f.Status = new FailoverStatus { Phase = phase, Reason = "Because", Message = message });
}
