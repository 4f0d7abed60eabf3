using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// Status hooks that do not work, each in a group of one member of its own: the group says what is wrong, and takes the
/// member on once the hook is repaired.
/// </summary>
internal static class BadHooks
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private sealed record BadHook(string Name, string What, string Command, string Told);

    private static readonly BadHook[] All =
    [
        new("hangs", "a hook that hangs", """["sleep", "1000"]""", "did not end within"),
        new("floods", "a hook that prints 10 MB", """["sh", "-c", "head -c 10000000 /dev/zero"]""", "answered more than"),
        new("absent", "a hook that is not there", """["/no/such/hook"]""", "could not run '/no/such/hook'"),
        new("nonsense", "a hook that prints nonsense", """["echo", "nonsense"]""", "not JSON"),
    ];

    private const string GoodStatus = """["echo", "{\"role\": \"Primary\", \"writable\": true}"]""";

    public static Task UseAsync(RedisGroup group, Action<string> report) => Task.WhenAll(All.Select(hook => UseAsync(group, hook, report)));

    private static async Task UseAsync(RedisGroup group, BadHook hook, Action<string> report)
    {
        await group.Scope.Kubectl.ApplyAsync(Manifests(hook));
        var told = await Poll.UntilAsync($"group {hook.Name} to say: {hook.Told}", Deadline, async () =>
            (await group.GetAsync(hook.Name)).Status?.Conditions.FirstOrDefault(condition =>
                condition.Status != ConditionStatus.True && condition.Message.Contains(hook.Told, StringComparison.Ordinal)), group.Scope.DescribeAsync);
        BadInput.Check(hook.What, told, report);

        await group.Scope.Kubectl.RunAsync("patch", "redundancygroup", hook.Name, "--type=merge", "-p",
            $$"""{ "spec": { "engine": { "hooks": { "status": { "exec": { "command": {{GoodStatus}} } } } } } }""");
        await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.True, Reasons.PrimaryServing, Deadline, hook.Name);
    }

    private static string Manifests(BadHook hook) => $$"""
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: {{hook.Name}} }
        spec:
          replicas: 1
          serviceName: {{hook.Name}}
          selector: { matchLabels: { app: {{hook.Name}} } }
          template:
            metadata: { labels: { app: {{hook.Name}} } }
            spec:
              terminationGracePeriodSeconds: 0
              containers: [{ name: main, image: "redis:7-bookworm", imagePullPolicy: IfNotPresent, command: [sleep, infinity] }]
        ---
        apiVersion: failover-operator.io/v1alpha1
        kind: RedundancyGroup
        metadata: { name: {{hook.Name}} }
        spec:
          workloadRef: { name: {{hook.Name}} }
          spares: 0
          engine:
            type: Hooks
            hooks:
              status: { exec: { command: {{hook.Command}} } }
              promote: { exec: { command: ["true"] } }
              follow: { exec: { command: ["true"] } }
        """;
}
