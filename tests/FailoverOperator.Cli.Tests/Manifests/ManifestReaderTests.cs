using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Cli.Manifests;
using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Core.Acceptance;

namespace FailoverOperator.Cli.Tests.Manifests;

public sealed class ManifestReaderTests
{
    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "redundancygroup.yaml", SearchOption.AllDirectories).Select(f =>
            Path.GetRelativePath(Repository.Root, f))];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_can_be_read(string file) =>
        Assert.Empty(SpecRules.Check(ManifestReader.Read(File.ReadAllText(Path.Combine(Repository.Root, file)), file).Spec));

    [Fact]
    public void The_group_is_found_among_other_objects()
    {
        const string yaml = """
            apiVersion: v1
            kind: Secret
            ---
            # nothing
            ---
            apiVersion: failover-operator.io/v1alpha1
            kind: RedundancyGroup
            metadata: { name: db, namespace: shop }
            spec: { workloadRef: { name: "007" }, engine: { type: Redis }, spares: 2 }
            """;
        var group = ManifestReader.Read(yaml, "x.yaml");
        Assert.Equal(("db", "shop", "007", 2), (group.Metadata.Name, group.Metadata.NamespaceProperty, group.Spec.WorkloadRef.Name,
            group.Spec.Spares));
    }

    [Theory]
    [InlineData("", "no RedundancyGroup")]
    [InlineData("kind: [", "")]
    [InlineData("just text", "no RedundancyGroup")]
    [InlineData("{ apiVersion: failover-operator.io/v1alpha1, kind: RedundancyGroup }", "no spec")]
    [InlineData("{ apiVersion: failover-operator.io/v1alpha1, kind: RedundancyGroup, spec: { spare: 2 } }", "spare")]
    [InlineData("{ apiVersion: failover-operator.io/v1alpha1, kind: RedundancyGroup, spec: { engine: { type: Oracle } } }", "engine")]
    public void What_cannot_be_used_is_refused_with_the_reason(string yaml, string expected)
    {
        var refusal = Assert.Throws<CliException>(() => ManifestReader.Read(yaml, "x.yaml"));
        Assert.Equal(ExitCodes.WrongUse, refusal.ExitCode);
        Assert.StartsWith("x.yaml: ", refusal.Message);
        Assert.Contains(expected, refusal.Message);
    }
}
