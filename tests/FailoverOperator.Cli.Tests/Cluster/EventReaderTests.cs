using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Cli.Tests.Cluster;

/// <summary>Events as they come: none twice, none missed, whatever becomes of the watch.</summary>
public sealed class EventReaderTests : IDisposable
{
    private readonly TestLoop _loop = new() { Step = TimeSpan.FromSeconds(1) };
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly CancellationTokenSource _end = new();
    private readonly List<string> _seen = [];
    private readonly FakeKubernetesApi _cluster;
    private int _number;

    public EventReaderTests() => _cluster = new FakeKubernetesApi(_time);

    [Fact]
    public void What_was_told_comes_first_then_what_is_told()
    {
        Tell("one");
        Follow();
        Tell("another group's", group: "other");
        Tell("two");
        _loop.Settle();
        Assert.Equal(["one", "two"], _seen);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ApiFailure.Expired)]
    [InlineData(ApiFailure.Unreachable)]
    public void A_watch_that_ends_loses_nothing(ApiFailure? failure)
    {
        Tell("one");
        Follow();
        _cluster.EndWatches(failure);
        Tell("two");
        Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(["one", "two"], _seen);
    }

    [Fact]
    public void A_watch_that_falls_silent_is_given_up()
    {
        Tell("one");
        Follow();
        _cluster.SilenceWatches();
        Tell("two");
        Pass(TimeSpan.FromMinutes(6));
        Assert.Equal(["one", "two"], _seen);
    }

    [Fact]
    public void An_event_that_grows_is_told_again_and_one_that_ages_is_not()
    {
        Tell("one");
        Follow();
        _cluster.Change<Eventsv1Event>("shop", "db.1", e => e.Note = "one, twice");
        _loop.Settle();
        _cluster.Remove<Eventsv1Event>("shop", "db.1");
        _loop.Settle();
        Assert.Equal(["one", "one, twice"], _seen);
    }

    [Fact]
    public void A_cluster_that_has_gone_ends_it()
    {
        var following = Follow();
        _cluster.IsCutOff = true;
        Assert.Throws<KubernetesApiException>(() => Pass(TimeSpan.FromSeconds(2)));
        Assert.True(following.IsFaulted);
    }

    public void Dispose()
    {
        _end.Cancel();
        _loop.Dispose();
        _end.Dispose();
    }

    private Task Follow() => _loop.Start(async () =>
    {
        await foreach (var one in new EventReader(_cluster, _time, "shop", "db").FollowAsync(_end.Token)) _seen.Add(one.Note);
    });

    private void Pass(TimeSpan time) => _loop.Pass(time, _time.Advance);

    private void Tell(string note, string group = "db") => _cluster.Seed(new Eventsv1Event
    {
        Metadata = new V1ObjectMeta { Name = FormattableString.Invariant($"{group}.{++_number}"), NamespaceProperty = "shop" },
        EventTime = _time.GetUtcNow().UtcDateTime,
        Reason = "FailoverStarted",
        Type = "Warning",
        Note = note,
        Regarding = new V1ObjectReference
        {
            ApiVersion = "failover-operator.io/v1alpha1",
            Kind = nameof(RedundancyGroup),
            Name = group,
            NamespaceProperty = "shop",
        },
    });
}
