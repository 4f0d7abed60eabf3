using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Cli.Tests.CommandLine;

/// <summary>What scripts and people learn when there is no answer.</summary>
public sealed class FailureTests
{
    [Theory]
    [InlineData(ApiFailure.Unreachable, "cannot be reached")]
    [InlineData(ApiFailure.Unavailable, "cannot be reached")]
    [InlineData(ApiFailure.Forbidden, "does not allow it")]
    [InlineData(ApiFailure.NotFound, "install the CRDs")]
    public async Task A_cluster_that_does_not_answer_is_exit_code_3(ApiFailure failure, string expected)
    {
        foreach (var command in new[] { "status", "status db", "history db", "explain db", "explain db --what-if zone=a", "simulate db" })
        {
            var terminal = new Terminal();
            terminal.Cluster.Faults.FailNext(failure, call => call.Verb == "list" || failure != ApiFailure.NotFound);
            var answer = await terminal.RunAsync(command, TestContext.Current.CancellationToken);
            Assert.Equal(3, answer.ExitCode);
            Assert.StartsWith("error: ", answer.Error);
            Assert.Contains(expected, answer.Error);
            Assert.Empty(answer.Output);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("stat")]
    [InlineData("status --what")]
    [InlineData("history")]
    [InlineData("status a b")]
    [InlineData("explain db --what-if zone")]
    [InlineData("explain db --what-if node=")]
    [InlineData("simulate db -f x.yaml")]
    [InlineData("simulate db --seeds many")]
    [InlineData("completion fish")]
    public async Task A_command_that_makes_no_sense_is_exit_code_2(string command)
    {
        var answer = await new Terminal().RunAsync(command, TestContext.Current.CancellationToken);
        Assert.Equal(2, answer.ExitCode);
        Assert.NotEmpty(answer.Error);
    }

    [Fact]
    public async Task Interrupting_a_watch_is_fine_and_is_how_it_ends()
    {
        using var interrupt = new CancellationTokenSource();
        var running = new Terminal().RunAsync("events --watch", interrupt.Token);
        await interrupt.CancelAsync();
        Assert.Equal(0, (await running).ExitCode);
    }

    [Fact]
    public async Task Help_is_no_failure()
    {
        var answer = await new Terminal().RunAsync("--help", TestContext.Current.CancellationToken);
        Assert.Equal(0, answer.ExitCode);
        Assert.Contains("status", answer.Output);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("kubectl")]
    public async Task Completion_is_a_script_that_asks_this_program(string shell) =>
        Assert.Contains("[suggest", (await new Terminal().RunAsync($"completion {shell}", TestContext.Current.CancellationToken)).Output);

    [Theory]
    [InlineData("st", "status")]
    [InlineData("simulate --faults p", "partition")]
    [InlineData("status -o ", "yaml")]
    public async Task What_may_come_next_is_suggested(string typed, string expected) => Assert.Contains(
        expected, (await new Terminal().RunAsync($"[suggest:{typed.Length}] \"{typed}\"",
            TestContext.Current.CancellationToken)).Output.Split('\n').Select(l => l.Trim()));
}
