using System.CommandLine;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Everything about a group on one screen, or a line about each.</summary>
internal static class StatusCommand
{
    private const int LastFailovers = 5;

    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string?>("GROUP")
        {
            Description = "Name of a RedundancyGroup; by default all of the namespace",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var everywhere = new Option<bool>("--all-namespaces", "-A") { Description = "Groups of all namespaces" };
        var command = new Command("status", "Show slots, members, readiness, what is not as wished, and the last failovers") { name, everywhere };
        command.Validators.Add(result =>
        {
            if (result.GetValue(name) is not null && result.GetValue(everywhere)) result.AddError("name a GROUP, or say -A, not both");
        });
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var reader = new GroupReader(api);
            var scope = parsed.GetValue(everywhere) ? null : namespaceName;
            var groups = parsed.GetValue(name) is { } one ? [await reader.GroupAsync(namespaceName, one, token)]
                : await reader.GroupsAsync(scope, token);
            var failovers = await reader.FailoversAsync(scope, token);
            var (views, now) = (groups.Select(g => GroupView.Of(g, failovers, LastFailovers)).ToList(), host.Time.GetUtcNow());
            options.Write(host, parsed, parsed.GetValue(name) is null ? views : views[0], page =>
            {
                if (views.Count == 0) page.Line(scope is null ? "there is no RedundancyGroup" : $"there is no RedundancyGroup in namespace {scope}");
                else if (views.Count == 1) StatusPage.WriteOne(page, views[0], now);
                else StatusPage.WriteMany(page, views, now);
            });
            return views.TrueForAll(v => v.Concerns.Count == 0) ? ExitCodes.Fine : ExitCodes.NotAsWished;
        });
        return command;
    }
}
