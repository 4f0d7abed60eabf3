using System.CommandLine;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Views;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Asks for another primary on purpose: in order, or by force.</summary>
internal static class RequestCommand
{
    private const int LongestDeadlineSeconds = 86400;

    public static Command BuildSwitchover(CliHost host, CommonOptions options) =>
        Build(host, options, FailoverType.Switchover, new Command("switchover", "Ask for another primary: planned, lossless"));

    public static Command BuildFailover(CliHost host, CommonOptions options) => Build(host, options, FailoverType.Failover,
        new Command("failover", "Ask for another primary by force: the present one is fenced, and loses what it has not sent"));

    private static Command Build(CliHost host, CommonOptions options, FailoverType type, Command command)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var to = new Option<string?>("--to") { Description = "Pod that is to become the primary; by default the best standby", HelpName = "MEMBER" };
        var slot = new Option<string>("--slot")
        {
            Description = "Slot whose primary it is about, in a group of mode NPlusM",
            HelpName = "SLOT",
            DefaultValueFactory = _ => ApiGroup.FirstSlot,
        };
        var reason = new Option<string?>("--reason") { Description = "Why, for the record", HelpName = "TEXT" };
        var at = Times.Option("--at", "Not before this time, as 2026-11-27T03:00:00Z; by default at once");
        var deadline = new Option<int>("--deadline-seconds")
        {
            Description = "Given up so long after it could have begun",
            HelpName = "N",
            DefaultValueFactory = _ => FailoverSpec.DefaultDeadlineSeconds,
        };
        deadline.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var number) && number is < 1 or > LongestDeadlineSeconds)
                result.AddError($"--deadline-seconds takes a number from 1 to {LongestDeadlineSeconds}");
        });
        var dryRun = new Option<bool>("--dry-run") { Description = "Change nothing: say what would be done, and what every check says" };
        var wait = new Option<bool>("--wait") { Description = "Wait until it has ended, and say how" };
        command.Add(name);
        foreach (var option in new Option[] { to, slot, reason, at, deadline, dryRun, wait }) command.Add(option);
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var (reader, requester) = (new GroupReader(api), new Requester(api, host.Time));
            var group = await reader.GroupAsync(namespaceName, parsed.GetRequiredValue(name), token);
            var request = await requester.AskAsync(group, new FailoverSpec
            {
                GroupRef = new GroupReference { Name = group.Metadata.Name },
                Slot = parsed.GetRequiredValue(slot),
                Type = type,
                Target = parsed.GetValue(to),
                Reason = parsed.GetValue(reason),
                // What this person sees now: if somebody else is faster, nothing is done twice.
                ExpectedHolder = Holder(group, parsed.GetRequiredValue(slot)),
                ScheduledAt = Times.Text(parsed.GetValue(at)),
                DryRun = parsed.GetValue(dryRun),
                DeadlineSeconds = parsed.GetValue(deadline),
            }, token);
            // A dry run is nothing but its answer.
            if (!parsed.GetValue(wait) && !parsed.GetValue(dryRun)) return Asked(host, options, parsed, request);
            var ended = await requester.WaitAsync(request, host.ShowsProgress ? now => Progress(host, now) : _ => { }, token);
            return await EndAsync(host, options, parsed, reader, ended, token);
        });
        return command;
    }

    private static string? Holder(RedundancyGroup group, string slot) => group.Status?.Slots.FirstOrDefault(s => s.Name == slot)?.Holder;

    private static int Asked(CliHost host, CommonOptions options, ParseResult parsed, Failover request)
    {
        var view = FailoverView.Of(request);
        options.Write(host, parsed, view, page =>
            page.Line($"{view.Namespace}/{view.Name} is asked for; see how it goes: kubectl get fo {view.Name} -n {view.Namespace} -w"));
        return ExitCodes.Fine;
    }

    private static void Progress(CliHost host, Failover request) =>
        host.Error.WriteLine(Words.Printable($"{request.Status?.Phase.ToString() ?? "not seen by the operator yet"}: {request.Status?.Message}"));

    private static async Task<int> EndAsync(CliHost host, CommonOptions options, ParseResult parsed, GroupReader reader, Failover request,
        CancellationToken token)
    {
        var view = FailoverView.Of(request);
        var executed = view.Request!.ExecutedAs is { } name
            ? (await reader.FailoversAsync(view.Namespace, token)).Where(f => f.Metadata.Name == name).Select(FailoverView.Of).FirstOrDefault()
                : null;
        options.Write(host, parsed, new { request = view, executed }, page => RequestPage.Write(page, view, executed, host.Time.GetUtcNow()));
        return view.Phase == FailoverPhase.Completed && (!view.Request.DryRun || WouldBegin(view)) ? ExitCodes.Fine : ExitCodes.NotAsWished;
    }

    /// <summary>A dry run ends well whatever it finds; only its message tells what that is.</summary>
    private static bool WouldBegin(FailoverView dryRun) => dryRun.Message?.Contains("it would make ", StringComparison.Ordinal) == true;
}
