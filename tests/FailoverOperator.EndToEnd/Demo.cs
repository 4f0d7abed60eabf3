using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.EndToEnd.Scenarios;
using FailoverOperator.TestBed;
using FailoverOperator.Workload;
using k8s;
using k8s.Models;
using Spectre.Console;

namespace FailoverOperator.EndToEnd;

/// <summary>A failover, shown to a person: the last line is for scripts.</summary>
public static class Demo
{
    private const int Members = 3;
    private static readonly TimeSpan FailoverDeadline = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync()
    {
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 160;
        Say("a cluster, and the operator in it (helm upgrade --install)");
        await using var bed = await Bed.CreateAsync();
        await using var scope = await TestNamespace.CreateAsync(bed.Cluster, "demo");
        try
        {
            return await ShowAsync(bed, scope);
        }
        catch (Exception failure)
        {
            Console.WriteLine(await scope.DescribeAsync());
            Console.WriteLine(await bed.Release.DescribeAsync());
            await Console.Error.WriteLineAsync($"the demo failed: {failure.Message}");
            return 1;
        }
    }

    private static async Task<int> ShowAsync(Bed bed, TestNamespace scope)
    {
        Say("kubectl apply -f examples/redis-active-passive/");
        var group = new RedisGroup(bed.Cluster, scope);
        await group.ApplyAsync();
        var before = await group.WaitConsistentAsync(Members);
        Show(before);

        var slot = before.Status!.Slots[0];
        Say($"a client writes through the Service {group.WriteService} every 10 ms; now the primary {slot.Holder} is killed (SIGKILL)");
        var writer = await group.StartWriterAsync();
        await group.CrashServerAsync(slot.Holder!);
        var failover = await group.WaitFailoverAsync(slot.Term!.Value, "is completed", FailoverDeadline, fo => fo.Status?.Phase == FailoverPhase.Completed);
        await writer.WaitUntilServedAsync(FailoverDeadline);
        var client = await writer.StopAsync();
        var after = await group.WaitConsistentAsync(Members);

        Show(failover);
        Say("what the events say");
        Show(await bed.Cluster.Client.EventsV1.ListNamespacedEventAsync(scope.Name));
        Say("the group afterwards");
        Show(after);
        Show(client);
        Console.WriteLine(new FailoverAccount(failover, client));
        return client.ServedAtTheEnd && after.Status!.Slots[0].Holder != slot.Holder ? 0 : 1;
    }

    private static void Say(string what) => AnsiConsole.MarkupLineInterpolated($"\n[bold]{what}[/]");

    private static void Show(RedundancyGroup group)
    {
        var members = new Table().Title("members").AddColumns("pod", "role", "health", "lag (bytes)", "node", "zone");
        foreach (var member in group.Status!.Members)
            members.AddRow(Cells(member.Name, member.Role, member.Health, member.LagBytes, member.Node, member.Zone));
        AnsiConsole.Write(members);

        var conditions = new Table().Title("conditions").AddColumns("type", "status", "reason", "message");
        foreach (var condition in group.Status.Conditions)
            conditions.AddRow(Cells(condition.Type, condition.Status, condition.Reason, condition.Message));
        AnsiConsole.Write(conditions);
    }

    private static void Show(Failover failover)
    {
        var status = failover.Status!;
        Say($"failover {failover.Metadata.Name}: {failover.Spec.Cause}, {failover.Spec.From?.Name} to {status.Candidate?.Name}; fence: {status.Fence?.Evidence} by {status.Fence?.By}");
        foreach (var evidence in failover.Spec.Evidence) Console.WriteLine($"  {evidence}");
        var phases = new Table().Title("timeline").AddColumns("phase", "ms");
        foreach (var phase in status.Phases) phases.AddRow(Cells(phase.Name, phase.Milliseconds));
        phases.AddRow(Cells("downtime, as the operator measured it", status.DowntimeMilliseconds));
        AnsiConsole.Write(phases);
    }

    private static void Show(Eventsv1EventList events)
    {
        var table = new Table().AddColumns("time", "reason", "about", "note");
        foreach (var entry in events.Items.Where(e => e.Regarding.ApiVersion.StartsWith(ApiGroup.Name, StringComparison.Ordinal)).OrderBy(e => e.EventTime))
            table.AddRow(Cells($"{entry.EventTime:HH:mm:ss.fff}", entry.Reason, $"{entry.Regarding.Kind} {entry.Regarding.Name}", entry.Note));
        AnsiConsole.Write(table);
    }

    private static void Show(WriteSummary client)
    {
        var table = new Table().Title("what the client saw").AddColumns("", "");
        table.AddRow(Cells("writes acknowledged", client.Acknowledged));
        table.AddRow(Cells("refused, or not connected", client.Refused));
        table.AddRow(Cells("without answer", client.Unknown));
        table.AddRow(Cells("longest time without a write (ms)", client.DowntimeMilliseconds));
        table.AddRow(Cells("acknowledged but lost", client.LostWrites));
        AnsiConsole.Write(table);
    }

    private static string[] Cells(params object?[] values) => [.. values.Select(value => Markup.Escape(value?.ToString() ?? "-"))];
}
