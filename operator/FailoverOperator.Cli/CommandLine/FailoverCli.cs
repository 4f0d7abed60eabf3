using System.CommandLine;
using System.CommandLine.Invocation;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>The commands, and how each of them ends.</summary>
public static class FailoverCli
{
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CliHost host, CancellationToken cancellationToken = default)
    {
        var parsed = Build(host).Parse(arguments);
        if (parsed.Action is ParseErrorAction) return Misused(host, parsed);
        return await parsed.InvokeAsync(
            new InvocationConfiguration { Output = host.Output, Error = host.Error, EnableDefaultExceptionHandler = false }, cancellationToken);
    }

    private static int Misused(CliHost host, ParseResult parsed)
    {
        foreach (var error in parsed.Errors) Fail(host, error.Message, ExitCodes.WrongUse);
        var command = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
        host.Error.WriteLine($"see kubectl failover{command} --help");
        return ExitCodes.WrongUse;
    }

    internal static RootCommand Build(CliHost host)
    {
        var options = new CommonOptions();
        var root = new RootCommand("Shows what FailoverOperator does with redundancy groups: kubectl failover COMMAND");
        foreach (var option in options.All) root.Options.Add(option);
        root.Add(StatusCommand.Build(host, options));
        root.Add(HistoryCommand.Build(host, options));
        root.Add(ExplainCommand.Build(host, options));
        root.Add(EventsCommand.Build(host, options));
        root.Add(SimulateCommand.Build(host, options));
        root.Add(RequestCommand.BuildSwitchover(host, options));
        root.Add(RequestCommand.BuildFailover(host, options));
        root.Add(ApproveCommand.Build(host, options));
        root.Add(AcceptLossCommand.Build(host, options));
        root.Add(SuspendCommand.Suspend(host, options));
        root.Add(SuspendCommand.Resume(host, options));
        root.Add(CompletionCommand.Build(host));
        return root;
    }

    /// <summary>Whatever goes wrong on the way ends with a sentence and the exit code that it has.</summary>
    internal static void Do(this Command command, CliHost host, Func<ParseResult, CancellationToken, Task<int>> body) =>
        command.SetAction(async (parsed, token) =>
    {
        try
        {
            return await body(parsed, token);
        }
        catch (CliException e)
        {
            return Fail(host, e.Message, e.ExitCode);
        }
        catch (KubernetesApiException e)
        {
            return Fail(host, Explain(e), ExitCodes.NoCluster);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
    });

    private static string Explain(KubernetesApiException e) => e.Failure switch
    {
        ApiFailure.Forbidden => $"the cluster does not allow it: {e.Message}",
        ApiFailure.Unreachable or ApiFailure.Unavailable => $"the cluster cannot be reached: {e.Message}",
        _ => $"the cluster refused it: {e.Message}",
    };

    private static int Fail(CliHost host, string message, int exitCode)
    {
        host.Error.WriteLine($"error: {Words.Printable(message)}");
        return exitCode;
    }
}
