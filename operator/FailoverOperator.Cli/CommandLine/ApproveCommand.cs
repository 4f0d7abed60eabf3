using System.CommandLine;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Views;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Lets a failover go on that waits for a person's word.</summary>
internal static class ApproveCommand
{
    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("FAILOVER") { Description = "Name of a Failover that waits for approval" };
        var command = new Command("approve", "Approve a failover of a group with promotion.policy: ApprovalRequired") { name };
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var failover = await FindAsync(api, namespaceName, parsed.GetRequiredValue(name), token);
            if (FailoverView.Of(failover) is { IsEnded: true } ended)
                throw new CliException(ExitCodes.NotAsWished, $"{ended.Name} has ended: {ended.Phase}, {ended.Reason}");
            if (failover.Status?.Reason != Reasons.ApprovalRequired)
                throw new CliException(ExitCodes.NotAsWished, $"{failover.Metadata.Name} does not wait for approval");
            // Of this very object, not of one that has its name by now.
            var approved = await api.MergePatchAsync<Failover>(namespaceName, failover.Metadata.Name, new
            {
                metadata = new
                {
                    uid = failover.Metadata.Uid,
                    annotations = new Dictionary<string,
                    string>
                    { [ApiGroup.ApprovedAnnotation] = "true" }
                },
            }, token);
            options.Write(host, parsed, FailoverView.Of(approved), page =>
                page.Line($"{namespaceName}/{failover.Metadata.Name} is approved; it said: {failover.Status.Message}"));
            return ExitCodes.Fine;
        });
        return command;
    }

    private static async Task<Failover> FindAsync(IKubernetesApi api, string namespaceName, string name, CancellationToken token)
    {
        if (await api.GetAsync<Failover>(namespaceName, name, token) is { } found) return found;
        var waiting = (await new GroupReader(api).FailoversAsync(namespaceName, token))
            .Where(f => f.Status?.Reason == Reasons.ApprovalRequired && !FailoverView.Of(f).IsEnded).Select(f => f.Metadata.Name).ToList();
        throw new CliException(ExitCodes.WrongUse, $"there is no Failover {name} in namespace {namespaceName}; "
            + (waiting.Count > 0 ? $"approval is waited for by: {string.Join(", ", waiting)}" : "none waits for approval"));
    }
}
