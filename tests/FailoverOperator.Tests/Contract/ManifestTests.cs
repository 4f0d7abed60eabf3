using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Tests.Contract;

/// <summary>
/// Groups that are good, and groups that are bad. The first line of a bad one says what it breaks: <c># expect:</c>
/// and a rule's id, or <c>Schema</c>, the path of the field and the keyword of the schema.
/// </summary>
public sealed class ManifestTests
{
    private const string BadManifests = "tests/FailoverOperator.Tests/Contract/BadManifests";

    private static readonly JsonObject Schema = Manifest.SchemaOf("redundancygroups");

    public static TheoryData<string> Bad => [.. Directory.GetFiles(Path.Combine(Manifest.Root, BadManifests)).Select(file => Path.GetFileName(file)).Order()];

    public static TheoryData<string> Good => [.. Directory.GetFiles(Path.Combine(Manifest.Root, "examples"), "redundancygroup.yaml", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Manifest.Root, file)).Order()];

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_group_breaks_what_it_says_and_nothing_else(string file)
    {
        var manifest = SchemaCheck.WithDefaults(Schema, Manifest.Read(Path.Combine(BadManifests, file)));
        var broken = SchemaCheck.Validate(Schema, manifest).Select(error => $"Schema {error.Path} {error.Keyword}").ToList();
        if (broken.Count == 0)
            broken.AddRange(SpecRules.Check(SpecOf(manifest)).Select(violation => violation.RuleId));
        Assert.Equal([Expectation(file)], broken);
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_group_breaks_nothing(string file)
    {
        var manifest = SchemaCheck.WithDefaults(Schema, Manifest.Read(file));
        Assert.Empty(SchemaCheck.Validate(Schema, manifest));
        Assert.Empty(SpecRules.Check(SpecOf(manifest)));
    }

    [Theory]
    [InlineData("engine: { type: Redis }")]
    [InlineData("engine: { type: Redis, redis: {} }")]
    [InlineData("engine: { type: Redis, redis: { passwordSecretRef: { name: s, key: k } } }")]
    [InlineData("engine: { type: Hooks, hooks: { status: { exec: { command: [c] } }, promote: { http: { port: 80 } }, follow: {} } }")]
    [InlineData("{ engine: { type: PostgreSQL, postgreSQL: {} }, agent: { tokenSecretRef: { name: s, key: k } } }")]
    [InlineData("{ engine: { type: Redis }, fencing: { policy: [Job], job: { image: i } } }")]
    [InlineData("{ engine: { type: Redis }, targets: {}, detection: {}, fencing: {}, promotion: {}, traffic: {} }")]
    [InlineData("{ engine: { type: Redis }, targets: { rtoSeconds: 7 }, fencing: { whenUnproven: Proceed } }")]
    public void Defaults_of_the_crd_are_the_initial_values_of_the_types(string spec)
    {
        var manifest = new JsonObject { ["spec"] = Manifest.Parse(spec) };
        manifest["spec"]!["workloadRef"] = new JsonObject { ["name"] = "db" };
        var filled = SchemaCheck.WithDefaults(Schema, manifest);
        Assert.Empty(SchemaCheck.Validate(Schema, filled));
        Assert.False(JsonNode.DeepEquals(filled, manifest));
        Assert.Equal(EntityJson.Serialize(SpecOf(manifest)), EntityJson.Serialize(SpecOf(filled)));
    }

    [Fact]
    public void Every_rule_on_a_group_and_every_kind_of_schema_error_has_a_bad_manifest()
    {
        string[] schemaErrors = ["type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "required", "unknown", "x-kubernetes-list-type"];
        var ruleIds = typeof(RuleIds).GetFields().Select(field => field.Name).Except([nameof(RuleIds.SpecIsImmutable), nameof(RuleIds.RequestIsPossible), nameof(RuleIds.RequestHasNoTerm)]);
        Assert.Equal(ruleIds.Concat(schemaErrors).ToHashSet(), Bad.Select(file => Expectation(file.Data).Split(' ')[^1]).ToHashSet());
    }

    private static string Expectation(string file) =>
        Regex.Match(File.ReadLines(Path.Combine(Manifest.Root, BadManifests, file)).First(), "^# expect: (.+)$").Groups[1].Value;

    private static RedundancyGroupSpec SpecOf(JsonNode manifest) => EntityJson.Deserialize<RedundancyGroupSpec>(manifest["spec"]!.ToJsonString());
}
