using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>
/// What people get wrong. Each ends in a condition with a reason and a sentence, never in a crash, and heals by itself once
/// the cause is gone.
/// </summary>
public sealed class BadInput : Scenario
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(45);

    private const string TwinYaml = """
        apiVersion: failover-operator.io/v1alpha1
        kind: RedundancyGroup
        metadata: { name: twin }
        spec: { workloadRef: { name: redis }, spares: 2, engine: { type: Redis, startsAs: ReadOnly } }
        """;

    private sealed record Mistake(string What, string[] Make, string Condition, string Reason, string[] Undo);

    /// <summary>Each made by one kubectl command in a healthy group, and undone by another one.</summary>
    private static readonly Mistake[] Mistakes =
    [
        new("a StatefulSet that is not there",
            PatchGroup("""{"spec":{"workloadRef":{"name":"absent"}}}"""), ConditionTypes.Accepted, Reasons.WorkloadNotFound,
            PatchGroup("""{"spec":{"workloadRef":{"name":"redis"}}}""")),
        new("a Service without selector",
            PatchService("""{"spec":{"selector":null}}"""), ConditionTypes.Accepted, Reasons.ServiceWithoutSelector,
            PatchService("""{"spec":{"selector":{"app":"redis"}}}""")),
        new("a Service that selects nothing",
            PatchService("""{"spec":{"selector":{"app":"other"}}}"""), ConditionTypes.Accepted, Reasons.ServiceSelectsNothing,
            PatchService("""{"spec":{"selector":{"app":"redis"}}}""")),
        new("a Service that is not there",
            PatchGroup("""{"spec":{"traffic":{"services":[{"name":"redis-rw","role":"Active"},{"name":"absent","role":"Standby"}]}}}"""), ConditionTypes.Accepted, Reasons.ServiceNotFound,
            PatchGroup("""{"spec":{"traffic":{"services":[{"name":"redis-rw","role":"Active"},{"name":"redis-ro","role":"Standby"}]}}}""")),
        new("more spares than members",
            PatchGroup("""{"spec":{"spares":7}}"""), ConditionTypes.Accepted, Reasons.TooFewReplicas,
            PatchGroup("""{"spec":{"spares":2}}""")),
        new("a Secret that is not there",
            PatchGroup("""{"spec":{"engine":{"redis":{"passwordSecretRef":{"name":"absent","key":"password"}}}}}"""), ConditionTypes.Accepted, Reasons.SecretNotFound,
            PatchGroup("""{"spec":{"engine":{"redis":null}}}""")),
    ];

    public override string Name => "bad-input";

    protected override async Task RunAsync(Bed bed, TestNamespace scope, int runs, Action<string> report)
    {
        var restarts = await bed.Release.RestartCountAsync();
        var group = await StartGroupAsync(bed, scope);
        foreach (var mistake in Mistakes) await MakeAndUndoAsync(group, mistake, report);
        await UseWrongPasswordAsync(group, report);
        await ClaimTwiceAsync(group, report);
        await BadHooks.UseAsync(group, report);
        Expect(await bed.Release.RestartCountAsync() == restarts, "the operator has not crashed");
    }

    private static async Task MakeAndUndoAsync(RedisGroup group, Mistake mistake, Action<string> report)
    {
        await group.Scope.Kubectl.RunAsync(mistake.Make);
        Check(mistake.What, await group.WaitConditionAsync(mistake.Condition, mistake.Condition == ConditionTypes.Accepted ? ConditionStatus.False : ConditionStatus.Unknown, mistake.Reason, Deadline), report);
        await group.Scope.Kubectl.RunAsync(mistake.Undo);
        await group.WaitReadyAsync(Deadline);
    }

    /// <summary>The servers get a password; the Secret first holds another one.</summary>
    private static async Task UseWrongPasswordAsync(RedisGroup group, Action<string> report)
    {
        var kubectl = group.Scope.Kubectl;
        await kubectl.RunAsync("create", "secret", "generic", "redis-password", "--from-literal=password=wrong");
        foreach (var pod in await group.PodNamesAsync())
        {
            await kubectl.ExecAsync(pod, "redis-cli", "CONFIG", "SET", "masterauth", "right");
            await kubectl.ExecAsync(pod, "redis-cli", "CONFIG", "SET", "requirepass", "right");
        }
        await kubectl.RunAsync(PatchGroup("""{"spec":{"engine":{"redis":{"passwordSecretRef":{"name":"redis-password","key":"password"}}}}}"""));
        Check("a wrong password", await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.CredentialsRejected, Deadline), report);
        await kubectl.RunAsync("patch", "secret", "redis-password", "--type=merge", "-p", """{"stringData":{"password":"right"}}""");
        await group.WaitReadyAsync(Deadline);

        foreach (var pod in await group.PodNamesAsync()) await kubectl.ExecAsync(pod, "redis-cli", "-a", "right", "CONFIG", "SET", "requirepass", "");
        await kubectl.RunAsync(PatchGroup("""{"spec":{"engine":{"redis":null}}}"""));
        await group.WaitReadyAsync(Deadline);
    }

    private static async Task ClaimTwiceAsync(RedisGroup group, Action<string> report)
    {
        await group.Scope.Kubectl.ApplyAsync(TwinYaml);
        Check("two groups for one workload", await group.WaitConditionAsync(ConditionTypes.Accepted, ConditionStatus.False, Reasons.WorkloadClaimed, Deadline, "twin"), report);
        await group.Scope.Kubectl.RunAsync("delete", "redundancygroup", RedisGroup.GroupName, "--wait", "--timeout=60s");
        await group.WaitConditionAsync(ConditionTypes.Accepted, ConditionStatus.True, Reasons.Valid, Deadline, "twin");
        await group.WaitConditionAsync(ConditionTypes.Available, ConditionStatus.True, Reasons.PrimaryServing, Deadline, "twin");
    }

    /// <summary>A person reads it: one sentence, no stack trace, no type names.</summary>
    internal static void Check(string what, Condition condition, Action<string> report)
    {
        report($"{what}: {condition.Type}={condition.Status} {condition.Reason}: {condition.Message}");
        Expect(condition.Message.Length is > 10 and < 1500, $"a sentence about {what}");
        Expect(!condition.Message.Contains("Exception", StringComparison.Ordinal) && !condition.Message.Contains("   at ", StringComparison.Ordinal), $"no exception text about {what}");
    }

    private static string[] PatchGroup(string patch) => ["patch", "redundancygroup", RedisGroup.GroupName, "--type=merge", "-p", patch];

    private static string[] PatchService(string patch) => ["patch", "service", "redis-ro", "--type=merge", "-p", patch];
}
