using System.Text;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Recording;
using k8s.Models;
using Prometheus;

namespace FailoverOperator.Tests.Operator;

/// <summary>Which members have series.</summary>
public class MemberSeriesTests
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();

    [Fact]
    public void A_member_that_goes_takes_its_series_with_it_and_leaves_those_of_other_groups()
    {
        var metrics = new OperatorMetrics(_registry);
        metrics.Report(Group("one"), Report("db-0", "db-1"), blocked: false);
        metrics.Report(Group("other"), Report("db-0", "db-1"), blocked: false);
        metrics.Report(Group("one"), Report("db-0"), blocked: false);
        Assert.Equal(["one/db-0", "other/db-0", "other/db-1"], Healthy());
        metrics.Forget(Group("one"));
        Assert.Equal(["other/db-0", "other/db-1"], Healthy());
    }

    [Fact]
    public void A_member_that_comes_back_after_its_group_was_forgotten_can_go_again()
    {
        var metrics = new OperatorMetrics(_registry);
        metrics.Report(Group("one"), Report("db-0", "db-1"), blocked: false);
        metrics.Forget(Group("one"));
        metrics.Report(Group("one"), Report("db-1"), blocked: false);
        metrics.Report(Group("one"), Report(), blocked: false);
        Assert.Empty(Healthy());
    }

    private static RedundancyGroup Group(string name) =>
        new() { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop" }, Spec = new RedundancyGroupSpec() };

    private static GroupReport Report(params string[] members) => new()
    {
        Conditions = [Condition(ConditionTypes.Available), Condition(ConditionTypes.FailoverReady)],
        Members = [.. members.Select(m => new MemberStatus { Name = m, Health = MemberHealth.Healthy })],
    };

    private static ConditionFact Condition(string type) => new(type, ConditionStatus.True, "Test", "");

    private List<string> Healthy()
    {
        using var text = new MemoryStream();
        _registry.CollectAndExportAsTextAsync(text).GetAwaiter().GetResult();
        return [.. Encoding.UTF8.GetString(text.ToArray()).Split('\n').Where(line => line.StartsWith("redundancy_member_healthy{", StringComparison.Ordinal))
            .Select(line => line.Split('"')).Select(part => $"{part[3]}/{part[5]}").Order(StringComparer.Ordinal)];
    }
}
