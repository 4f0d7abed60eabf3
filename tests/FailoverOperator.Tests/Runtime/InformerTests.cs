using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Runtime;

public sealed class InformerTests : IDisposable
{
    private readonly TestLoop _loop = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubernetesApi _api;
    private readonly Informer<V1ConfigMap> _informer;
    private readonly List<string> _events = [];
    private readonly CancellationTokenSource _stop = new();

    public InformerTests()
    {
        _api = new(_time);
        _informer = NewInformer(new InformerOptions());
        _informer.Subscribe(change => _events.Add($"{change.Change} {change.Current.Name()}={change.Current.Data?["v"]}"));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _loop.Dispose();
    }

    [Fact]
    public void Shows_what_is_there_and_follows_it_in_order()
    {
        Seed("b", "1");
        Seed("a", "1");
        Start();
        Change("a", "2");
        Change("a", "3");
        _api.Remove<V1ConfigMap>("ns", "b");
        _loop.Settle();

        Assert.Equal(["Added a=1", "Added b=1", "Updated a=2", "Updated a=3", "Deleted b=1"], _events);
        Assert.Equal(["a"], _informer.Items().Select(item => item.Name()));
    }

    [Fact]
    public void Is_synced_only_after_the_first_list_whose_failures_are_retried()
    {
        Seed("a", "1");
        _api.Faults.FailNext(ApiFailure.Unreachable, call => call.Verb == "list", times: 2);
        var synced = _informer.WaitForSyncAsync(CancellationToken.None);
        Start();

        Assert.False(_informer.IsSynced);
        Assert.False(synced.IsCompleted);
        Pass(1);
        Assert.True(_informer.IsSynced);
        _loop.Finish(synced);
        Assert.Equal(["Added a=1"], _events);
    }

    [Fact]
    public void Synthesises_the_deletes_that_a_broken_watch_missed()
    {
        Seed("a", "1");
        Seed("b", "1");
        Start();
        _api.SilenceWatches();
        _api.Remove<V1ConfigMap>("ns", "a");
        Change("b", "2");
        Seed("c", "1");
        _api.EndWatches(ApiFailure.Unreachable);
        Pass(1);

        Assert.Equal(["Added a=1", "Added b=1", "DeletedUnseen a=1", "Updated b=2", "Added c=1"], _events);
    }

    /// <summary>So that what was written earlier and is not there is known to have been deleted.</summary>
    [Fact]
    public void Tells_up_to_which_version_it_has_everything()
    {
        Seed("a", "1");
        Assert.Equal(0UL, _informer.Version);
        Start();
        Assert.Equal(_api.LastVersion, $"{_informer.Version}");
        Change("a", "2");
        _loop.Settle();
        Assert.Equal(_api.LastVersion, $"{_informer.Version}");
        _api.Remove<V1ConfigMap>("ns", "a");
        _loop.Settle();
        Assert.Equal(_api.LastVersion, $"{_informer.Version}");

        _api.SilenceWatches();
        Seed("b", "1");
        var before = _informer.Version;
        Assert.NotEqual(_api.LastVersion, $"{before}");
        _api.EndWatches(ApiFailure.Expired);
        Pass(1);
        Assert.Equal(_api.LastVersion, $"{_informer.Version}");
    }

    [Fact]
    public void Takes_a_successor_of_the_same_name_for_another_object()
    {
        Seed("a", "1");
        Start();
        _api.SilenceWatches();
        _api.Remove<V1ConfigMap>("ns", "a");
        Seed("a", "2");
        _api.EndWatches(ApiFailure.Expired);
        Pass(1);

        Assert.Equal(["Added a=1", "DeletedUnseen a=1", "Added a=2"], _events);
    }

    [Fact]
    public void Lists_again_when_its_version_has_expired()
    {
        Seed("a", "1");
        Start();
        _api.SilenceWatches();
        Change("a", "2");
        _api.Compact();
        _api.EndWatches();
        Pass(1);

        Assert.Equal(["Added a=1", "Updated a=2"], _events);
        Assert.Equal(2, Calls("list"));
    }

    [Fact]
    public void Lists_again_at_once_when_it_is_told_that_the_watch_may_hang()
    {
        Seed("a", "1");
        Start();
        _api.SilenceWatches();
        _api.Remove<V1ConfigMap>("ns", "a");
        _loop.Settle();
        Assert.Equal(["Added a=1"], _events);

        _informer.Relist();
        Pass(1);
        Assert.Equal(["Added a=1", "DeletedUnseen a=1"], _events);
    }

    [Fact]
    public void Lists_again_when_the_watch_is_silent_for_too_long()
    {
        Start();
        _api.SilenceWatches();
        Seed("a", "1");
        Pass(149);
        Assert.Empty(_events);
        Pass(2);
        Assert.Equal(["Added a=1"], _events);
    }

    [Fact]
    public void Goes_on_without_a_new_list_when_the_server_ends_the_watch()
    {
        Start();
        _api.EndWatches();
        Pass(1);
        Seed("a", "1");
        _loop.Settle();

        Assert.Equal(["Added a=1"], _events);
        Assert.Equal(1, Calls("list"));
        Assert.Equal(2, Calls("watch"));
    }

    [Fact]
    public void Does_not_press_a_server_that_fails()
    {
        _api.Faults.FailNext(ApiFailure.Expired, call => call.Verb == "watch", times: int.MaxValue);
        Start();
        Pass(60);

        Assert.InRange(Calls("watch"), 5, 25);
    }

    [Fact]
    public void Waits_for_a_right_that_it_cannot_do_without()
    {
        _api.Faults.FailNext(ApiFailure.Forbidden, call => call.Verb == "list", times: 3);
        Start();
        Assert.False(_informer.IsSynced);
        Pass(2);
        Assert.True(_informer.IsSynced);
        Assert.False(_informer.IsForbidden);
    }

    [Fact]
    public void Does_without_what_may_not_be_read_and_says_so_once()
    {
        var forbidden = true;
        _api.Faults.FailNext(ApiFailure.Forbidden, call => forbidden, times: int.MaxValue);
        var log = new Log();
        var informer = new Informer<V1ConfigMap>(_api, new InformerOptions { MayBeForbidden = true }, _time, new Random(1), log);
        informer.Subscribe(change => _events.Add($"{change.Change} {change.Current.Name()}"));
        Seed("a", "1");
        _ = _loop.Start(() => informer.RunAsync(_stop.Token));
        Pass(3600);
        Assert.True(informer is { IsSynced: true, IsForbidden: true });
        Assert.Contains("configmaps may not be read", Assert.Single(log.Messages));
        Assert.InRange(Calls("list"), 15, 40);

        forbidden = false;
        Pass(300);
        Assert.False(informer.IsForbidden);
        Assert.Equal(["Added a"], _events);
        Assert.Contains("configmaps may be read again", log.Messages[^1]);

        // At no moment is an object that is not there any more told to be gone without the word that nothing is known.
        var known = new List<bool>();
        informer.Subscribe(_ => known.Add(informer.IsForbidden));
        forbidden = true;
        _api.EndWatches(ApiFailure.Unreachable);
        Pass(15);
        Assert.Equal(["Added a", "DeletedUnseen a"], _events);
        Assert.Equal([true], known);
    }

    [Fact]
    public void Bookmarks_keep_it_fresh()
    {
        Start();
        Pass(100);
        Assert.Equal(100, _informer.Staleness.TotalSeconds, 1.0);
        _api.SendBookmarks();
        _loop.Settle();
        Assert.Equal(TimeSpan.Zero, _informer.Staleness);
        Pass(100);
        Assert.Equal(1, Calls("list"));
    }

    [Fact]
    public void Finds_by_index_what_the_objects_say_now()
    {
        _informer.AddIndex("value", item => [item.Data["v"]]);
        Seed("b", "x");
        Seed("a", "x");
        Start();
        Assert.Equal(["a", "b"], _informer.ByIndex("value", "x").Select(item => item.Name()));
        Change("a", "y");
        _loop.Settle();
        Assert.Equal(["b"], _informer.ByIndex("value", "x").Select(item => item.Name()));
        Assert.Equal(["a"], _informer.ByIndex("value", "y").Select(item => item.Name()));
        _api.Remove<V1ConfigMap>("ns", "b");
        _loop.Settle();
        Assert.Empty(_informer.ByIndex("value", "x"));
    }

    [Fact]
    public void Follows_only_what_is_selected()
    {
        var selected = NewInformer(new InformerOptions { Namespace = "ns", Selection = new("app=db") });
        var names = new List<string>();
        selected.Subscribe(change => names.Add($"{change.Change} {change.Current.Name()}"));
        _ = _loop.Start(() => selected.RunAsync(_stop.Token));
        Seed("a", "1");
        _ = _api.Change<V1ConfigMap>("ns", "a", item => item.Metadata.Labels = new Dictionary<string, string> { ["app"] = "db" });
        _ = _api.Change<V1ConfigMap>("ns", "a", item => item.Metadata.Labels = null);
        _loop.Settle();

        Assert.Equal(["Added a", "Deleted a"], names);
    }

    private sealed class Log : Microsoft.Extensions.Logging.ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        void Microsoft.Extensions.Logging.ILogger.Log<TState>(
            Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Messages.Add(formatter(state, exception));
    }

    private Informer<V1ConfigMap> NewInformer(InformerOptions options) => new(_api, options, _time, new Random(1), NullLogger.Instance);

    private void Start() => _loop.Start(() => _informer.RunAsync(_stop.Token));

    private void Pass(double seconds) => _loop.Pass(TimeSpan.FromSeconds(seconds), _time.Advance);

    private int Calls(string verb) => _api.Calls.Count(call => call.Verb == verb);

    private void Seed(string name, string value) => _api.Seed(new V1ConfigMap
    {
        Metadata = new() { Name = name, NamespaceProperty = "ns" },
        Data = new Dictionary<string, string> { ["v"] = value },
    });

    private void Change(string name, string value) => _api.Change<V1ConfigMap>("ns", name, item => item.Data["v"] = value);
}
