using System.Reflection;
using System.Text.RegularExpressions;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Recording;
using k8s;
using k8s.Models;
using Prometheus;

namespace FailoverOperator.Tests.Docs;

/// <summary>The documentation says what is there, and all of it.</summary>
public partial class DocumentationTests
{
    private static readonly string Root = FindRoot();

    public static TheoryData<string> Pages => [.. Directory.GetFiles(Root, "*.md", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Root, path)).Where(path => !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal)).Order()];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Root, page))!;
        foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(Root, page))))
        {
            var target = link.Groups[1].Value.Split('#')[0];
            if (target.Length == 0 || target.Contains("://", StringComparison.Ordinal)) continue;
            Assert.True(Path.Exists(Path.Combine(folder, target)), $"{page} links to {target}, which does not exist");
        }
    }

    [Fact]
    public void Every_make_command_of_the_README_is_a_target()
    {
        var targets = MakeTarget().Matches(File.ReadAllText(Path.Combine(Root, "Makefile"))).Select(m => m.Groups[1].Value).ToHashSet();
        var used = MakeCommand().Matches(Readme()).Select(m => m.Groups[1].Value).ToList();
        Assert.Contains("demo", used);
        Assert.All(used, target => Assert.Contains(target, targets));
    }

    [Fact]
    public void The_group_in_the_README_is_one_that_is_accepted()
    {
        var yaml = Readme().Split("```yaml")[1].Split("```")[0];
        var group = KubernetesYaml.Deserialize<Dictionary<string, object>>(yaml);
        Assert.Equal("RedundancyGroup", group["kind"]);
        var spec = Runtime.EntityFromYaml<RedundancyGroup>(yaml).Spec;
        Assert.Equal(2, spec.Traffic.Services.Count);
        Assert.Empty(SpecRules.Check(spec));
    }

    [Fact]
    public void Every_condition_phase_evidence_and_event_is_in_the_reference()
    {
        var page = File.ReadAllText(Path.Combine(Root, "docs/reference.md"));
        var words = ConditionTypes.All
            .Concat(Enum.GetNames<FailoverPhase>()).Concat(Enum.GetNames<FenceEvidence>()).Concat(Enum.GetNames<FailoverType>())
            .Concat(Constants(typeof(EventReasons)));
        Assert.All(words, word => Assert.Contains($"`{word}`", page));
    }

    [Fact]
    public async Task Every_metric_is_in_the_reference()
    {
        var page = File.ReadAllText(Path.Combine(Root, "docs/reference.md"));
        var registry = Metrics.NewCustomRegistry();
        var metrics = new OperatorMetrics(registry);
        var group = new RedundancyGroup { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" }, Spec = new RedundancyGroupSpec { Agent = new AgentSpec() } };
        metrics.Fenced(group, FenceEvidence.Released);
        metrics.KeptBack(group, Reasons.CoolingDown);
        metrics.Ejected(group);
        metrics.Ended(group, new Failover
        {
            Spec = new FailoverSpec { Type = FailoverType.Failover },
            Status = new FailoverStatus { Phase = FailoverPhase.Completed, DowntimeMilliseconds = 1, Phases = [new PhaseDuration { Name = TimedPhase.Fence, Milliseconds = 1 }] },
        });
        metrics.Report(group, new GroupReport
        {
            Conditions = [.. ConditionTypes.All.Select(type => new ConditionFact(type, ConditionStatus.True, "Because", "it is so"))],
            Slots = [new SlotFact("0", "db-0", 1, null)],
            Members = [new MemberStatus { Name = "db-0", LagBytes = 0 }],
            Statistics = new GroupStatistics
            {
                MeanTimeBetweenFailuresSeconds = 1,
                MeanTimeToRecoveryMilliseconds = 1,
                MeanTimeToDetectionMilliseconds = 1,
                Availability = "99.999",
            },
        }, blocked: false);
        using var text = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        var names = MetricName().Matches(System.Text.Encoding.UTF8.GetString(text.ToArray())).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(19, names.Count);
        Assert.All(names, name => Assert.Contains($"`{name}`", page));

        // And a group that goes takes its series with it.
        metrics.Forget(group);
        using var after = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(after, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("shop", System.Text.Encoding.UTF8.GetString(after.ToArray()));
    }

    private static string Readme() => File.ReadAllText(Path.Combine(Root, "README.md"));

    private static IEnumerable<string> Constants(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FailoverOperator.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^([a-z0-9-]+):", RegexOptions.Multiline)]
    private static partial Regex MakeTarget();

    [GeneratedRegex(@"(?:^    |`)make ([a-z0-9-]+)", RegexOptions.Multiline)]
    private static partial Regex MakeCommand();

    [GeneratedRegex(@"^# TYPE (\S+)", RegexOptions.Multiline)]
    private static partial Regex MetricName();

    private static class Runtime
    {
        public static T EntityFromYaml<T>(string yaml)
            where T : class
        {
            var json = new YamlDotNet.Serialization.SerializerBuilder().JsonCompatible().Build()
                .Serialize(new YamlDotNet.Serialization.DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(new StringReader(yaml))!);
            return FailoverOperator.Runtime.Kubernetes.EntityJson.Deserialize<T>(json);
        }
    }
}
