using System.Text.Json.Nodes;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Observing;
using FailoverOperator.Recording;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using FailoverOperator.Tests.Contract;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Prometheus;

namespace FailoverOperator.Tests.Operator;

/// <summary>What is written into Failover objects.</summary>
public class FailoverRecorderTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RedundancyGroup _group = new() { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop", Uid = "uid" }, Spec = Objects.Spec("db", "db-rw") };

    [Theory]
    [InlineData(1, 1024)]
    [InlineData(16, 1025)]
    [InlineData(17, 5)]
    [InlineData(40, 100_000)]
    public async Task A_claim_fits_the_crd_whatever_the_evidence(int lines, int length)
    {
        var evidence = Enumerable.Range(0, lines).Select(line => $"{line}:".PadRight(length, 'x')).ToList();
        var claim = await BeginAsync(Plan with { Evidence = evidence });
        Assert.Empty(SchemaCheck.Validate(Manifest.SchemaOf("failovers"), JsonNode.Parse(EntityJson.Serialize(claim))));
        Assert.Equal(Math.Min(lines, 16), claim.Spec.Evidence.Count);
        Assert.All(claim.Spec.Evidence.Zip(evidence), pair => Assert.StartsWith(pair.First.TrimEnd('…'), pair.Second, StringComparison.Ordinal));
        Assert.Equal(Math.Min(length, 1024), claim.Spec.Evidence[0].Length);
    }

    private static FailoverSpec Plan => new()
    {
        GroupRef = new GroupReference { Name = "db" },
        Slot = "0",
        Term = 2,
        Type = FailoverType.Failover,
        Cause = FailoverCause.PrimaryPodGone,
        From = new MemberReference { Name = "db-0", Uid = "uid-0" },
    };

    private async Task<Failover> BeginAsync(FailoverSpec plan)
    {
        var api = new FakeKubernetesApi(_time);
        var clock = new OperatorClock(_time);
        var news = new FailoverNews(new EventOutbox((_, _, _, _, _, _) => Task.CompletedTask), new OperatorMetrics(Metrics.NewCustomRegistry()));
        await using var session = new GroupSession("0", _group.Spec, new FakeServers().Engine(), clock, () => { });
        await new FailoverRecorder(api, clock, news).BeginAsync(_group, session, plan, TestContext.Current.CancellationToken);
        return Assert.Single(api.PeekAll<Failover>());
    }
}
