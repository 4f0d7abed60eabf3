using System.CommandLine;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Simulating;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Why nothing happens, and what would happen.</summary>
internal static class ExplainCommand
{
    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var whatIf = new Option<string?>("--what-if")
        {
            Description = "Simulate on the group as it is now that a node or a zone is lost",
            HelpName = "node=NAME|zone=NAME",
        };
        whatIf.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && Split(text) is null)
                result.AddError($"--what-if takes node=NAME or zone=NAME, not {text}");
        });
        var seeds = SimulateCommand.SeedsOption();
        var command = new Command("explain", "Say why a group is as it is, and what would happen if its primary failed now") { name, whatIf, seeds };
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var reader = new GroupReader(api);
            var group = await reader.GroupAsync(namespaceName, parsed.GetRequiredValue(name), token);
            if (parsed.GetValue(whatIf) is { } text) return Simulate(host, options, parsed, group, Split(text)!.Value, parsed.GetValue(seeds), token);
            var view = ExplanationView.Of(group, await reader.FailoversAsync(namespaceName, token));
            options.Write(host, parsed, view, page => ExplainPage.Write(page, view, host.Time.GetUtcNow()));
            return view is { WouldWork: true, HeldBack: null, State: GroupState.Steady or GroupState.Working } ? ExitCodes.Fine : ExitCodes.NotAsWished;
        });
        return command;
    }

    private static int Simulate(CliHost host, CommonOptions options, ParseResult parsed, RedundancyGroup group, (string What, string Name) loss,
        int seeds, CancellationToken token) =>
        SimulateCommand.Run(host, options, parsed, SimulationPlanner.OfLoss(group, loss.What, loss.Name), seeds, token);

    private static (string What, string Name)? Split(string text) =>
        text.Split('=', 2) is [("node" or "zone") and var what, { Length: > 0 } name] ? (what, name) : null;
}
