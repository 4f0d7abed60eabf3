using System.CommandLine;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>What the operator told of groups.</summary>
internal static class EventsCommand
{
    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string?>("GROUP")
        {
            Description = "Name of a RedundancyGroup; by default all of the namespace",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "Events of all namespaces" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on showing them as they come; with -o json one object a line" };
        var command = new Command("events", "Show what the operator told of groups, the oldest first") { name, everywhere, watch };
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var reader = new EventReader(api, host.Time, parsed.GetValue(everywhere) ? null : namespaceName, parsed.GetValue(name));
            if (parsed.GetValue(watch)) return await FollowAsync(host, options.Format(parsed), reader, token);
            var events = await reader.ListAsync(token);
            options.Write(host, parsed, events, page =>
            {
                if (events.Count == 0) page.Line("there are no events; the cluster forgets them after a while");
                foreach (var one in events) EventLines.Write(page, one);
            });
            return ExitCodes.Fine;
        });
        return command;
    }

    private static async Task<int> FollowAsync(CliHost host, OutputFormat format, EventReader reader, CancellationToken token)
    {
        try
        {
            await foreach (var one in reader.FollowAsync(token)) Write(host, format, one);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // That is how a watch ends.
        }
        return ExitCodes.Fine;
    }

    private static void Write(CliHost host, OutputFormat format, EventView one)
    {
        switch (format)
        {
            case OutputFormat.Json:
                host.Output.WriteLine(Documents.JsonLine(one));
                break;
            case OutputFormat.Yaml:
                host.Output.WriteLine($"---\n{Documents.Yaml(one)}");
                break;
            default:
                EventLines.Write(host.NewPage(), one);
                break;
        }
        host.Output.Flush();
    }
}
