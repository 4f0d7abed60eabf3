using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Tests.Support;
using FailoverOperator.Cli.Views;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Cli.Tests.CommandLine;

/// <summary>Events as they come: none twice, none missed, whatever becomes of the watch.</summary>
public sealed class WatchTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly FakeKubernetesApi _cluster;
    private readonly IAsyncEnumerator<EventView> _events;
    private int _number;

    public WatchTests()
    {
        _cluster = new FakeKubernetesApi(_time);
        _events = new EventReader(_cluster, _time, "shop", "db").FollowAsync(_end.Token).GetAsyncEnumerator();
    }

    [Fact]
    public async Task What_was_told_comes_first_then_what_is_told()
    {
        Tell("one");
        Assert.Equal("one", await NextAsync());
        var next = NextAsync();
        Tell("another group's", group: "other");
        Tell("two");
        Assert.Equal("two", await next);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ApiFailure.Expired)]
    [InlineData(ApiFailure.Unreachable)]
    public async Task A_watch_that_ends_loses_nothing(ApiFailure? failure)
    {
        Tell("one");
        Assert.Equal("one", await NextAsync());
        var next = NextAsync();
        _cluster.EndWatches(failure);
        Tell("two");
        Assert.Equal("two", await LaterAsync(next));
    }

    [Fact]
    public async Task A_watch_that_falls_silent_is_given_up()
    {
        Tell("one");
        Assert.Equal("one", await NextAsync());
        var next = NextAsync();
        _cluster.SilenceWatches();
        Tell("two");
        Assert.Equal("two", await LaterAsync(next));
    }

    [Fact]
    public async Task A_cluster_that_has_gone_ends_it()
    {
        Tell("one");
        Assert.Equal("one", await NextAsync());
        var next = NextAsync();
        _cluster.IsCutOff = true;
        Assert.Equal(ApiFailure.Unreachable, (await Assert.ThrowsAsync<KubernetesApiException>(() => LaterAsync(next))).Failure);
    }

    [Fact]
    public async Task Interrupting_a_watch_is_fine()
    {
        using var interrupt = new CancellationTokenSource();
        var terminal = new Terminal();
        var running = terminal.RunAsync("events --watch", interrupt.Token);
        await interrupt.CancelAsync();
        Assert.Equal(0, (await running).ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        try
        {
            await _events.DisposeAsync();
        }
        catch (NotSupportedException)
        {
            // A read is still under way: the test has failed, and says why.
        }
        _end.Dispose();
    }

    private async Task<string> NextAsync()
    {
        Assert.True(await _events.MoveNextAsync());
        return _events.Current.Note;
    }

    /// <summary>Lets time pass until it comes.</summary>
    private async Task<string> LaterAsync(Task<string> next)
    {
        for (var seconds = 0; seconds < 600 && !next.IsCompleted; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            for (var n = 0; n < 20 && !next.IsCompleted; n++) await Task.Yield();
        }
        Assert.True(next.IsCompleted, "nothing came within ten minutes");
        return await next;
    }

    private void Tell(string note, string group = "db") => _cluster.Seed(new Eventsv1Event
    {
        Metadata = new V1ObjectMeta { Name = FormattableString.Invariant($"{group}.{++_number}"), NamespaceProperty = "shop" },
        EventTime = _time.GetUtcNow().UtcDateTime,
        Reason = "FailoverStarted",
        Type = "Warning",
        Note = note,
        Regarding = new V1ObjectReference { ApiVersion = "failover-operator.io/v1alpha1", Kind = nameof(RedundancyGroup), Name = group, NamespaceProperty = "shop" },
    });
}
