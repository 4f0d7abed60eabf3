using System.CommandLine;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Maintenance: lets the operator begin nothing, and begin again.</summary>
internal static class SuspendCommand
{
    public static Command Suspend(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var until = Times.Option("--until", "Until when, as 2026-11-27T03:00:00Z; by default until it is resumed");
        var reason = new Option<string?>("--reason") { Description = "Why, for the record", HelpName = "TEXT" };
        var command = new Command("suspend", "Let the operator begin no failover of a group, whatever happens") { name, until, reason };
        command.Do(host, async (parsed, token) =>
        {
            // Both are written, so that nothing is left of a suspension before.
            var suspended = new { until = Times.Text(parsed.GetValue(until)), reason = parsed.GetValue(reason) };
            var group = await PatchAsync(host, options, parsed, parsed.GetRequiredValue(name), new { spec = new { suspended } }, token);
            host.Output.WriteLine($"{group.Metadata.NamespaceProperty}/{group.Metadata.Name} is suspended {(suspended.until is null ? "until it is resumed" : $"until {suspended.until}")}");
            return ExitCodes.Fine;
        });
        return command;
    }

    public static Command Resume(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var command = new Command("resume", "End the suspension of a group") { name };
        command.Do(host, async (parsed, token) =>
        {
            var group = await PatchAsync(host, options, parsed, parsed.GetRequiredValue(name), new { spec = new { suspended = (object?)null } },
                token);
            host.Output.WriteLine($"{group.Metadata.NamespaceProperty}/{group.Metadata.Name} is not suspended");
            return ExitCodes.Fine;
        });
        return command;
    }

    private static async Task<RedundancyGroup> PatchAsync(
        CliHost host, CommonOptions options, ParseResult parsed, string name, object patch, CancellationToken token)
    {
        var (api, namespaceName) = options.Connect(host, parsed);
        _ = await new GroupReader(api).GroupAsync(namespaceName, name, token);
        return await api.MergePatchAsync<RedundancyGroup>(namespaceName, name, patch, token);
    }
}
