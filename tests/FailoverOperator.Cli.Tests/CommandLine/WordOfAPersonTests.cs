using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Tests.Support;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.CommandLine;

/// <summary>approve, suspend, resume.</summary>
public sealed class WordOfAPersonTests
{
    private readonly Terminal _terminal = new();

    public WordOfAPersonTests()
    {
        _terminal.Cluster.Seed(new RedundancyGroup
        {
            Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" },
            Spec = new RedundancyGroupSpec { WorkloadRef = new WorkloadReference { Name = "db" } },
        });
        Seed("db-0-2", FailoverPhase.Pending, Reasons.ApprovalRequired);
        Seed("db-0-1", FailoverPhase.Completed, Reasons.Verified);
        Seed("db-0-3", FailoverPhase.Fencing, null);
    }

    [Fact]
    public async Task What_waits_for_approval_is_approved()
    {
        var answer = await _terminal.RunAsync("approve db-0-2", TestContext.Current.CancellationToken);
        Assert.Equal(0, answer.ExitCode);
        Assert.Contains("db-1 would take over", answer.Output);
        Assert.Equal("true", _terminal.Cluster.Peek<Failover>("shop", "db-0-2")!.Metadata.Annotations["failover-operator.io/approved"]);
    }

    [Theory]
    [InlineData("db-0-1", 1, "has ended")]
    [InlineData("db-0-3", 1, "does not wait")]
    [InlineData("db-0-9", 2, "db-0-2")]
    public async Task What_does_not_wait_is_not(string name, int exitCode, string expected)
    {
        var answer = await _terminal.RunAsync($"approve {name}", TestContext.Current.CancellationToken);
        Assert.Equal(exitCode, answer.ExitCode);
        Assert.Contains(expected, answer.Error);
        Assert.All(_terminal.Cluster.PeekAll<Failover>(), f => Assert.Null(f.Metadata.Annotations));
    }

    [Fact]
    public async Task A_group_is_suspended_and_resumed()
    {
        Assert.Equal(0, (await _terminal.RunAsync("suspend db --until 2026-03-01T14:00:00Z --reason \"new disks\"",
            TestContext.Current.CancellationToken)).ExitCode);
        Assert.Equal(new SuspensionSpec { Until = "2026-03-01T14:00:00Z", Reason = "new disks" }, Group.Spec.Suspended);
        Assert.Equal(0, (await _terminal.RunAsync("suspend db", TestContext.Current.CancellationToken)).ExitCode);
        Assert.Equal(new SuspensionSpec(), Group.Spec.Suspended);
        Assert.Equal(0, (await _terminal.RunAsync("resume db", TestContext.Current.CancellationToken)).ExitCode);
        Assert.Null(Group.Spec.Suspended);
        Assert.Equal(2, (await _terminal.RunAsync("suspend nobody", TestContext.Current.CancellationToken)).ExitCode);
    }

    private RedundancyGroup Group => _terminal.Cluster.Peek<RedundancyGroup>("shop", "db")!;

    private void Seed(string name, FailoverPhase phase, string? reason) => _terminal.Cluster.Seed(new Failover
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop" },
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Term = 1, Type = FailoverType.Failover },
        Status = new FailoverStatus { Phase = phase, Reason = reason, Message = "db-1 would take over" },
    });
}
