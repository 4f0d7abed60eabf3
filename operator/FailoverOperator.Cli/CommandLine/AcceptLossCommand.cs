using System.CommandLine;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Views;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Lets a failover go on in which more would be lost than anybody but a person may decide.</summary>
internal static class AcceptLossCommand
{
    /// <summary>The operator writes the same object now and then.</summary>
    private const int MaxTries = 5;

    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string>("GROUP") { Description = "Name of a RedundancyGroup" };
        var slot = new Option<string?>("--slot") { Description = "Slot whose loss it is, where several wait", HelpName = "SLOT" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var command = new Command("accept-loss", "Accept that writes are lost, where a failover waits for that") { name, slot, yes };
        command.Do(host, async (parsed, token) =>
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            var reader = new GroupReader(api);
            var group = await reader.GroupAsync(namespaceName, parsed.GetRequiredValue(name), token);
            var loss = Find(group, parsed.GetValue(slot));
            if (!loss.IsAccepted)
            {
                if (!parsed.GetValue(yes)) Confirm(host, loss);
                await AcceptAsync(api, reader, loss, token);
            }
            options.Write(host, parsed, loss with { IsAccepted = true }, page => Answer(page, loss));
            return ExitCodes.Fine;
        });
        return command;
    }

    /// <exception cref="CliException">None waits, or it is not clear which is meant.</exception>
    private static LossView Find(RedundancyGroup group, string? slot)
    {
        var slots = group.Status?.Slots.Select(s => s.Name).ToList() ?? [];
        if (slot is not null && !slots.Contains(slot))
            throw new CliException(ExitCodes.WrongUse, $"{Named(group)} has no slot {slot}; {(slots.Count > 0 ? $"there are: {string.Join(", ", slots)}" : "it has none at all")}");
        var waiting = LossView.Of(group).Where(l => slot is null || l.Slot == slot).ToList();
        return waiting switch
        {
            [var one] => one,
            [] => throw new CliException(ExitCodes.NotAsWished, NothingWaits(group, slot)),
            _ => throw new CliException(ExitCodes.WrongUse,
                $"several slots of {Named(group)} wait, say which with --slot: {string.Join("; ", waiting.Select(l => $"{l.Slot}: {l.Message}"))}"),
        };
    }

    private static string NothingWaits(RedundancyGroup group, string? slot)
    {
        var of = slot is null ? Named(group) : $"slot {slot} of {Named(group)}";
        var forbidden = group.Spec.Promotion.DataLoss == DataLossPolicy.Forbid ? "; with promotion.dataLoss: Forbid nobody can accept one" : "";
        var progressing = group.Status?.Conditions.FirstOrDefault(c => c.Type == ConditionTypes.Progressing);
        var state = progressing is null ? "the operator has said nothing about this group yet" : $"it is at {progressing.Reason}: {progressing.Message}";
        return $"no failover of {of} waits for a loss to be accepted{forbidden}; {state}";
    }

    /// <exception cref="CliException">The answer is no, or there is nobody to give it.</exception>
    private static void Confirm(CliHost host, LossView loss)
    {
        // Not with the answer, which a script may read.
        host.Error.WriteLine(Words.Printable($"{loss.Namespace}/{loss.Group}, slot {loss.Slot}: {loss.Message}"));
        host.Error.WriteLine(Words.Printable($"Accepted, what is said there to be missing is lost, and the best of those that are there takes over from {loss.Holder ?? "the old primary"}."));
        if (host.ReadLine is not { } read) throw new CliException(ExitCodes.WrongUse, "nobody is there to be asked; --yes accepts it without a question");
        host.Error.Write("Accept the loss? [y/N] ");
        if (read()?.Trim().ToLowerInvariant() is not ("y" or "yes")) throw new CliException(ExitCodes.NotAsWished, "nothing was changed");
    }

    /// <summary>Of what was shown, and nothing else: the group is read anew, and written only as it was read.</summary>
    private static async Task AcceptAsync(IKubernetesApi api, GroupReader reader, LossView shown, CancellationToken token)
    {
        for (var attempt = 1; ; attempt++)
        {
            var group = await reader.GroupAsync(shown.Namespace, shown.Group, token);
            if (LossView.Of(group).FirstOrDefault(l => l.Slot == shown.Slot) is not { } now || now.Word != shown.Word)
                throw new CliException(ExitCodes.NotAsWished, $"nothing was changed: {Named(group)} has gone on meanwhile, and the loss that was shown is not waited for any more; look again");
            if (now.IsAccepted) return;
            try
            {
                await api.MergePatchAsync<RedundancyGroup>(shown.Namespace, shown.Group, Patch(group, now.Accepting(group)), token);
                return;
            }
            catch (KubernetesApiException e) when (e.Failure == ApiFailure.Conflict && attempt < MaxTries)
            {
                // It was written in between: is it still the same loss?
            }
        }
    }

    private static object Patch(RedundancyGroup group, string annotation) => new
    {
        metadata = new
        {
            resourceVersion = group.Metadata.ResourceVersion,
            annotations = new Dictionary<string, string> { [ApiGroup.DataLossAcceptedAnnotation] = annotation },
        },
    };

    private static void Answer(Page page, LossView loss) => page.Line(loss.IsAccepted
        ? $"{loss.Namespace}/{loss.Group}: the loss in slot {loss.Slot} is accepted already ({loss.Word})"
        : $"{loss.Namespace}/{loss.Group}: the loss in slot {loss.Slot} is accepted ({loss.Word}); see how it goes on: kubectl failover explain {loss.Group} -n {loss.Namespace}");

    private static string Named(RedundancyGroup group) => $"{group.Metadata.NamespaceProperty}/{group.Metadata.Name}";
}
