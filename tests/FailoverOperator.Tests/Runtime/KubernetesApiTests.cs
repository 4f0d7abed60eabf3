using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Runtime;

public sealed class KubernetesApiTests
{
    private readonly SignallingTimeProvider _time = new();
    private readonly ScriptedServer _server = new();
    private readonly List<UnreadableObject> _unreadable = [];
    private readonly ApiHealth _health;
    private readonly KubernetesApi _api;

    public KubernetesApiTests()
    {
        _health = new(_time);
        var options = new KubernetesApiOptions { RetryBaseDelay = TimeSpan.Zero, MaxRetries = 2 };
        var connection = new ApiServerConnection(new HttpClient(_server) { Timeout = Timeout.InfiniteTimeSpan }, new Uri("https://api.test/under/a/path"), null);
        _api = new(new ApiTransport(connection, options, _health, _time, new Random(1)), options, _unreadable.Add);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(409, "AlreadyExists", ApiFailure.AlreadyExists)]
    [InlineData(409, "Conflict", ApiFailure.Conflict)]
    [InlineData(404, "NotFound", ApiFailure.NotFound)]
    [InlineData(410, "Expired", ApiFailure.Expired)]
    [InlineData(401, "Unauthorized", ApiFailure.Forbidden)]
    [InlineData(403, "Forbidden", ApiFailure.Forbidden)]
    [InlineData(400, "BadRequest", ApiFailure.Invalid)]
    [InlineData(422, "Invalid", ApiFailure.Invalid)]
    [InlineData(500, "InternalError", ApiFailure.Unavailable)]
    [InlineData(503, "ServiceUnavailable", ApiFailure.Unavailable)]
    public async Task An_answer_becomes_a_failure_with_the_servers_own_words(int code, string reason, ApiFailure expected)
    {
        _server.Always(() => Answer(code, $$"""{"kind":"Status","reason":"{{reason}}","message":"because of the moon"}"""));
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.CreateAsync(Map("a"), Token));
        Assert.Equal(expected, failure.Failure);
        Assert.Contains("because of the moon", failure.Message);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_patch_of_another_incarnation_is_a_conflict()
    {
        _server.Always(() => Answer(422, """{"kind":"Status","code":422,"reason":"Invalid","message":"field is immutable","details":{"causes":[{"reason":"FieldValueInvalid","field":"metadata.uid"}]}}"""));
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.MergePatchAsync<V1Pod>("ns", "a", new { metadata = new { uid = "old" } }, Token));
        Assert.Equal(ApiFailure.Conflict, failure.Failure);
    }

    [Fact]
    public async Task A_missing_object_is_null_to_get()
    {
        _server.Always(() => Answer(404, "{}"));
        Assert.Null(await _api.GetAsync<V1Pod>("ns", "a", Token));
        Assert.Equal(["GET /under/a/path/api/v1/namespaces/ns/pods/a"], _server.Requests);
    }

    [Fact]
    public async Task Reads_are_repeated_until_the_retries_are_used_up()
    {
        _server.Next(() => Answer(503, "starting"));
        _server.Next(() => throw new HttpRequestException("reset"));
        _server.Next(() => Answer(200, """{"metadata":{"name":"a"}}"""));
        Assert.Equal("a", (await _api.GetAsync<V1Pod>("ns", "a", Token))!.Metadata.Name);
        Assert.Equal(0, _health.FailuresInARow);

        _server.Always(() => Answer(500, "no"));
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.GetAsync<V1Pod>("ns", "a", Token));
        Assert.Equal(ApiFailure.Unavailable, failure.Failure);
        Assert.Equal(6, _server.Requests.Count);
        Assert.Equal(3, _health.FailuresInARow);
    }

    [Theory]
    [InlineData("busy", true)]
    [InlineData("refused", true)]
    [InlineData("broken", false)]
    [InlineData("error", false)]
    public async Task A_write_is_repeated_only_when_it_was_surely_not_begun(string fault, bool isRepeated)
    {
        _server.Next(() => fault switch
        {
            "busy" => Answer(429, "{}"),
            "refused" => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused", new SocketException((int)SocketError.ConnectionRefused)),
            "broken" => throw new HttpRequestException(HttpRequestError.ResponseEnded, "reset"),
            _ => Answer(500, "{}"),
        });
        _server.Always(() => Answer(201, """{"metadata":{"name":"a"}}"""));
        var failure = await Record.ExceptionAsync(() => _api.CreateAsync(Map("a"), Token));

        Assert.Equal(isRepeated, failure is null);
        Assert.Equal(isRepeated ? 2 : 1, _server.Requests.Count);
        if (fault == "broken")
            Assert.Equal(ApiFailure.Unreachable, Assert.IsType<KubernetesApiException>(failure).Failure);
    }

    [Fact]
    public async Task Waits_as_long_as_the_server_asks()
    {
        _server.Next(() =>
        {
            var busy = Answer(429, "{}");
            busy.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(3));
            return busy;
        });
        _server.Always(() => Answer(200, """{"metadata":{"name":"a"}}"""));
        var get = _api.GetAsync<V1Pod>("ns", "a", Token);
        await _time.TimerOf(TimeSpan.FromSeconds(3));
        Assert.Single(_server.Requests);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.NotNull(await get);
    }

    [Fact]
    public async Task A_write_without_an_answer_is_given_up_in_time_and_its_outcome_unknown()
    {
        _server.Hang();
        var create = _api.CreateAsync(Map("a"), Token);
        await _server.Hanging;
        _time.Advance(TimeSpan.FromSeconds(10));
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(() => create);
        Assert.Equal(ApiFailure.Unreachable, failure.Failure);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task The_callers_cancellation_stays_one()
    {
        _server.Hang();
        using var cancel = new CancellationTokenSource();
        var get = _api.GetAsync<V1Pod>("ns", "a", cancel.Token);
        await _server.Hanging;
        await cancel.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
    }

    [Fact]
    public async Task Reads_all_pages_and_leaves_out_and_names_what_it_cannot_read()
    {
        _server.Next(() => Answer(200, """{"metadata":{"resourceVersion":"7","continue":"c/1"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"bad","namespace":"ns"},"spec":"nonsense"}]}"""));
        _server.Next(() => Answer(200, """{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"b"}}]}"""));
        var list = await _api.ListAsync<V1Pod>(null, new ListOptions("app=db"), Token);

        Assert.Equal(["a", "b"], list.Items.Select(pod => pod.Metadata.Name));
        Assert.All(list.Items, pod => Assert.Equal(("v1", "Pod"), (pod.ApiVersion, pod.Kind)));
        Assert.Equal("7", list.ResourceVersion);
        Assert.Equal([new ObjectKey("ns", "bad")], list.Unreadable);
        Assert.Equal(("Pod", "ns", "bad"), (_unreadable.Single().Kind, _unreadable.Single().Namespace, _unreadable.Single().Name));
        Assert.Equal("GET /under/a/path/api/v1/pods?limit=500&continue=c%2F1&labelSelector=app%3Ddb", _server.Requests[1]);
    }

    [Fact]
    public async Task Reads_a_watch_line_by_line_past_what_it_cannot_read_to_its_end()
    {
        _server.Always(() => Answer(200, """
            {"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"8"}}}
            {"type":"MODIFIED","object":{"metadata":{"name":"bad"},"spec":"nonsense"}}
            {"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}
            {"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"10"}}}
            """));
        var notices = await WatchAsync();
        Assert.Equal([(WatchNoticeType.Added, "8"), (WatchNoticeType.Bookmark, "9"), (WatchNoticeType.Deleted, "10")], notices);
        Assert.Equal("bad", Assert.Single(_unreadable).Name);
        Assert.Contains("watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300", _server.Requests.Single());
    }

    [Theory]
    [InlineData("""{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}""")]
    [InlineData("""{"type":"DELETED","object":{"metadata":{"name":"bad"},"spec":"nonsense"}}""")]
    [InlineData("""{"type":"ADDED","obj""")]
    public async Task A_watch_that_cannot_be_trusted_any_more_is_expired(string line)
    {
        _server.Always(() => Answer(200, line));
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(WatchAsync);
        Assert.Equal(ApiFailure.Expired, failure.Failure);
    }

    [Fact]
    public async Task An_answer_that_is_not_JSON_is_a_failure_like_any_other()
    {
        _server.Always(() => Answer(200, "<html>"));
        _ = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.GetAsync<V1Pod>("ns", "a", Token));
        _ = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.ListAsync<V1Pod>("ns", ListOptions.All, Token));
    }

    [Fact]
    public async Task Nothing_is_replaced_without_a_version()
    {
        var failure = await Assert.ThrowsAsync<KubernetesApiException>(() => _api.ReplaceAsync(Map("a"), Token));
        Assert.Equal(ApiFailure.Invalid, failure.Failure);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task Writes_name_their_manager_and_patches_keep_their_nulls()
    {
        _server.Always(() => Answer(200, """{"metadata":{"name":"a"}}"""));
        _ = await _api.MergePatchAsync<V1Pod>("ns", "a", new { metadata = new { labels = new Dictionary<string, string?> { ["x"] = null } } }, Token);
        Assert.Equal("PATCH /under/a/path/api/v1/namespaces/ns/pods/a?fieldManager=failover-operator", _server.Requests.Single());
        Assert.Equal("""{"metadata":{"labels":{"x":null}}}""", _server.Bodies.Single());
        Assert.Equal("application/merge-patch+json", _server.ContentTypes.Single());
    }

    [Fact]
    public void Entities_come_back_as_they_went_with_enums_by_name_and_without_nulls()
    {
        var group = new RedundancyGroup
        {
            Metadata = new() { Name = "g", NamespaceProperty = "ns", CreationTimestamp = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) },
            Spec = new() { WorkloadRef = new() { Name = "db" }, Engine = new() { Type = EngineType.Hooks }, Traffic = new() { Services = [new() { Name = "rw" }] } },
        };
        var json = EntityJson.Serialize(group);
        Assert.Contains("\"apiVersion\":\"apps/v1\"", json);
        Assert.Contains("\"type\":\"Hooks\"", json);
        Assert.Contains("\"candidateOrder\":[\"LeastLag\",\"Zone\",\"Priority\",\"Name\"]", json);
        Assert.Contains("\"creationTimestamp\":\"2026-01-02T03:04:05.000000Z\"", json);
        Assert.DoesNotContain("null", json);
        Assert.Equal(json, EntityJson.Serialize(EntityJson.Deserialize<RedundancyGroup>(json)));
        _ = Assert.ThrowsAny<Exception>(() => EntityJson.Deserialize<Failover>("""{"spec":{"type":"Unheard"}}"""));
    }

    private async Task<List<(WatchNoticeType, string)>> WatchAsync()
    {
        var notices = new List<(WatchNoticeType, string)>();
        await foreach (var notice in _api.WatchAsync<V1Pod>("ns", "5", ListOptions.All, TimeSpan.FromSeconds(300), Token))
            notices.Add((notice.Type, notice.Entity.Metadata.ResourceVersion));
        return notices;
    }

    private static V1ConfigMap Map(string name) => new() { Metadata = new() { Name = name, NamespaceProperty = "ns" } };

    private static HttpResponseMessage Answer(int code, string body) => new((HttpStatusCode)code) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    /// <summary>Tells when somebody begins to wait for a certain time.</summary>
    private sealed class SignallingTimeProvider : FakeTimeProvider
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<TimeSpan, TaskCompletionSource> _timers = new();

        public Task TimerOf(TimeSpan dueTime) => Signal(dueTime).Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _ = Signal(dueTime).TrySetResult();
            return timer;
        }

        private TaskCompletionSource Signal(TimeSpan dueTime) =>
            _timers.GetOrAdd(dueTime, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private sealed class ScriptedServer : HttpMessageHandler
    {
        private readonly Queue<Func<HttpResponseMessage>> _script = [];
        private readonly TaskCompletionSource _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Func<HttpResponseMessage>? _always;
        private bool _hangs;

        public List<string> Requests { get; } = [];

        public List<string> Bodies { get; } = [];

        public List<string?> ContentTypes { get; } = [];

        public Task Hanging => _hanging.Task;

        public void Next(Func<HttpResponseMessage> answer) => _script.Enqueue(answer);

        public void Always(Func<HttpResponseMessage> answer) => _always = answer;

        public void Hang() => _hangs = true;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
            if (request.Content is { } content)
            {
                Bodies.Add(await content.ReadAsStringAsync(cancellationToken));
                ContentTypes.Add(content.Headers.ContentType?.MediaType);
            }

            if (_hangs)
            {
                var never = new TaskCompletionSource<HttpResponseMessage>();
                using var registration = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
                _ = _hanging.TrySetResult();
                return await never.Task;
            }

            return _script.TryDequeue(out var next) ? next() : _always!();
        }
    }
}
