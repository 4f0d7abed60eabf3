using System.CommandLine;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>What each failover of a group was, and what it cost.</summary>
internal static class HistoryCommand
{
    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var command = new Command("history", "Show the failovers of a group: cause, proof of fencing, phases, downtime, loss") { name };
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var (reader, group) = (new GroupReader(api), parsed.GetRequiredValue(name));
            _ = await reader.GroupAsync(namespaceName, group, token);
            var failovers = FailoverView.LatestFirst(await reader.FailoversAsync(namespaceName, token), namespaceName, group);
            options.Write(host, parsed, failovers, page => HistoryPage.Write(page, $"{namespaceName}/{group}", failovers, host.Time.GetUtcNow()));
            return ExitCodes.Fine;
        });
        return command;
    }
}
