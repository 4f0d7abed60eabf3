using System.Text.Json;
using System.Text.RegularExpressions;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.TestBed;

namespace FailoverOperator.Integration;

/// <summary>The CRDs in a real API server: what it fills in, what it refuses, what users see.</summary>
public sealed class CrdTests(ApiServerFixture fixture)
{
    private const string SmallestGroup = """
        apiVersion: failover-operator.io/v1alpha1
        kind: RedundancyGroup
        metadata: { name: smallest }
        spec: { workloadRef: { name: redis }, engine: { type: Redis } }
        """;

    private static string BadManifests => Repository.PathOf("tests/FailoverOperator.Tests/Contract/BadManifests");

    /// <summary>Unknown fields are refused by kubectl, see below: old API servers only drop them.</summary>
    public static TheoryData<string> ManifestsThatTheSchemaRefuses() =>
        [.. Directory.GetFiles(BadManifests, "*.yaml").Where(file => Expectation(file) is { Rule: "Schema", Check: not "unknown" }).Select(file => Path.GetFileName(file))];

    [Fact]
    public async Task The_servers_defaults_are_those_of_the_types()
    {
        var kubectl = fixture.Server.Kubectl.In(await fixture.CreateNamespaceAsync());
        await kubectl.ApplyAsync(SmallestGroup);

        var stored = await kubectl.RunAsync("get", "redundancygroup", "smallest", "-o", "json");

        var expected = new RedundancyGroupSpec { WorkloadRef = new WorkloadReference { Name = "redis" }, Engine = new EngineSpec { Type = EngineType.Redis } };
        Assert.Equal(EntityJson.Serialize(expected), EntityJson.Serialize(EntityJson.Deserialize<RedundancyGroup>(stored).Spec));
        using var document = JsonDocument.Parse(stored);
        Assert.Equal(5, document.RootElement.GetProperty("spec").GetProperty("detection").GetProperty("unhealthyAfterSeconds").GetInt32());
    }

    [Theory, MemberData(nameof(ManifestsThatTheSchemaRefuses))]
    public async Task A_spec_that_the_schema_rules_out_is_refused_with_the_field(string file)
    {
        var kubectl = fixture.Server.Kubectl.In(await fixture.CreateNamespaceAsync());

        var result = await kubectl.TryApplyAsync(await File.ReadAllTextAsync(Path.Combine(BadManifests, file), TestContext.Current.CancellationToken), "--validate=false");

        Assert.False(result.Succeeded, $"{file} was accepted");
        // Old API servers leave the index of a list's entry out.
        Assert.Contains(WithoutIndexes(Expectation(Path.Combine(BadManifests, file)).Field), WithoutIndexes(result.Error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelled_field_is_refused_by_kubectl()
    {
        var kubectl = fixture.Server.Kubectl.In(await fixture.CreateNamespaceAsync());

        await WaitForOpenApiAsync();
        var result = await kubectl.TryApplyAsync(SmallestGroup.Replace("spec: {", "spec: { sparse: 2,", StringComparison.Ordinal));

        Assert.False(result.Succeeded);
        Assert.Contains("sparse", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rg", "Active")]
    [InlineData("fo", "Cause")]
    [InlineData("failover", "Group")]
    public async Task Short_names_and_the_category_work(string name, string column)
    {
        var kubectl = fixture.Server.Kubectl.In(await fixture.CreateNamespaceAsync());
        await kubectl.ApplyAsync(SmallestGroup);
        await fixture.Api.CreateAsync(Samples.Failover(kubectl.Namespace!, "smallest", 1), TestContext.Current.CancellationToken);

        Assert.Contains(column, await kubectl.RunAsync("get", name), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("redundancygroup.spec.fencing.whenUnproven", "risk two primaries")]
    [InlineData("failover.status.downtimeMilliseconds", "first verified write")]
    public async Task Kubectl_explain_teaches(string field, string expected)
    {
        await WaitForOpenApiAsync();
        var text = await fixture.Server.Kubectl.RunAsync("explain", field);

        Assert.Contains(expected, Regex.Replace(text, @"\s+", " "), StringComparison.Ordinal);
    }

    /// <summary>kubectl knows a new kind's fields only when the server has published them, some seconds after its CRD.</summary>
    private Task WaitForOpenApiAsync() =>
        Poll.UntilAsync("the server to publish the schema", TimeSpan.FromSeconds(60), async () => (await fixture.Server.Kubectl.TryAsync("explain", "redundancygroup.spec")).Succeeded && (await fixture.Server.Kubectl.TryAsync("explain", "failover.spec")).Succeeded);

    /// <summary>The first line says "# expect: RULE FIELD CHECK".</summary>
    private static (string Rule, string Field, string Check) Expectation(string file)
    {
        var match = Regex.Match(File.ReadLines(file).First(), @"^# expect: (\w+)(?: (\S+) (\S+))?");
        return (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
    }

    private static string WithoutIndexes(string path) => Regex.Replace(path, @"\[\d+\]", "");
}
