using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Cli.Tests.Cluster;

/// <summary>How the end of a request is waited for.</summary>
public sealed class RequesterTests : IDisposable
{
    private const int DeadlineSeconds = 10;

    private readonly TestLoop _loop = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeKubernetesApi _cluster;
    private readonly List<string?> _news = [];

    public RequesterTests() => _cluster = new FakeKubernetesApi(_time);

    [Fact]
    public void Each_change_on_the_way_is_told_once()
    {
        var ended = Wait();
        Become(FailoverPhase.Pending, "waits");
        Pass(TimeSpan.FromSeconds(3));
        Become(FailoverPhase.Completed, "done");
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(FailoverPhase.Completed, _loop.Finish(ended).Status!.Phase);
        Assert.Equal([null, "waits", "done"], _news);
    }

    [Fact]
    public void What_never_ends_is_given_up_when_both_deadlines_are_over()
    {
        var ended = Wait();
        Pass(TimeSpan.FromSeconds((2 * DeadlineSeconds) + 29));
        Assert.False(ended.IsCompleted);
        Pass(TimeSpan.FromSeconds(2));
        Assert.Null(_loop.Finish(ended).Status);
    }

    [Fact]
    public void What_is_scheduled_has_its_time_from_then_on()
    {
        var ended = Wait("2026-03-01T13:00:00Z");
        Pass(TimeSpan.FromSeconds(3640));
        Assert.False(ended.IsCompleted);
        Become(FailoverPhase.Completed, "done");
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal("done", _loop.Finish(ended).Status!.Message);
    }

    [Fact]
    public void A_cluster_that_is_away_for_a_moment_is_waited_for()
    {
        var ended = Wait();
        _cluster.IsCutOff = true;
        Pass(TimeSpan.FromSeconds(5));
        _cluster.IsCutOff = false;
        Become(FailoverPhase.Completed, "done");
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal("done", _loop.Finish(ended).Status!.Message);
    }

    [Fact]
    public void A_request_that_is_deleted_ends_the_wait()
    {
        var ended = Wait();
        _cluster.Remove<Failover>("shop", Assert.Single(_cluster.PeekAll<Failover>()).Metadata.Name);
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(ExitCodes.NotAsWished, Assert.IsType<CliException>(ended.Exception!.InnerException).ExitCode);
    }

    public void Dispose() => _loop.Dispose();

    private Task<Failover> Wait(string? scheduledAt = null)
    {
        var requester = new Requester(_cluster, _time);
        var group = new RedundancyGroup { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" } };
        var spec = new FailoverSpec
        {
            GroupRef = new GroupReference { Name = "db" },
            Type = FailoverType.Switchover,
            DeadlineSeconds = DeadlineSeconds,
            ScheduledAt = scheduledAt,
        };
        var request = _loop.Finish(requester.AskAsync(group, spec, CancellationToken.None));
        var ended = requester.WaitAsync(request, now => _news.Add(now.Status?.Message), CancellationToken.None);
        _loop.Settle();
        return ended;
    }

    private void Become(FailoverPhase phase, string message) => _cluster.Change<Failover>(
        "shop", Assert.Single(_cluster.PeekAll<Failover>()).Metadata.Name, f => f.Status = new FailoverStatus { Phase = phase, Message = message });

    private void Pass(TimeSpan time) => _loop.Pass(time, _time.Advance);
}
