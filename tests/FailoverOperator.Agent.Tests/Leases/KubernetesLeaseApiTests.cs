using System.Text.Json;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Agent.Tests.Leases;

public sealed class KubernetesLeaseApiTests : IAsyncLifetime
{
    private const string Holder = "db-0/uid-0";
    private static readonly LeaseTerms Terms = new() { Members = [new("db-0", "uid-0", "10.0.0.1", 8008)], SynchronousStandbys = 1 };
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private LoopbackApiServer server = null!;
    private KubernetesLeaseApi api = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await LoopbackApiServer.StartAsync();
        api = new KubernetesLeaseApi(server.Account, "shop", "db-0", time);
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_lease_is_read_whole()
    {
        server.Answer = (_, context) => context.Response.WriteAsync(Lease("7"));
        var lease = Assert.IsType<LeaseReply.Found>(await api.ReadAsync(Stop)).Lease;
        Assert.Equal(
            new LeaseRecord
            {
                Holder = Holder,
                Term = 3,
                Assignment = "db-0/uid-0 3",
                Terms = Terms,
                Accepted = Terms,
                Version = "7",
                Floor = new HistoryFloor("system:2", 1, new HistoryFloor("system:7", 0)),
                Release = new ReleaseNote("db-1/uid-1", 2, ReleaseReason.HandOver, 5, null),
            }, lease);
        Assert.True(lease.IsAuthentic);
        var asked = Assert.Single(server.Requests);
        Assert.Equal(("GET", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/db-0", "Bearer first"), (asked.Method, asked.Path, asked.Token));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("null")]
    [InlineData("""{"leaseDurationSeconds":0}""")]
    [InlineData("""{"members":null}""")]
    [InlineData("""{"members":[null]}""")]
    public async Task Terms_that_cannot_be_read_are_never_accepted_and_name_nobody(string terms)
    {
        server.Answer = (_, context) => context.Response.WriteAsync(Lease("7", terms));
        var lease = Assert.IsType<LeaseReply.Found>(await api.ReadAsync(Stop)).Lease;
        Assert.False(LeaseTimings.Of(lease.Terms).IsSafe);
        Assert.True(lease.IsClaimed);
        Assert.Empty(lease.Accepted!.Members);
    }

    [Fact]
    public async Task A_renewal_patches_time_and_accepted_terms_only_and_carries_the_version_that_was_read()
    {
        server.Answer = (_, context) => context.Response.WriteAsync(Lease("8"));
        var read = new LeaseRecord { Holder = Holder, Term = 3, Version = "7" };
        Assert.Equal("8", Assert.IsType<LeaseReply.Found>(await api.RenewAsync(read, Terms, Stop)).Lease.Version);
        Assert.IsType<LeaseReply.Found>(await api.RenewAsync(read with { Accepted = Terms }, Terms, Stop));

        var (first, second) = (server.Requests.First(), server.Requests.Last());
        Assert.Equal(("PATCH", "application/merge-patch+json"), (first.Method, first.ContentType));
        var body = JsonDocument.Parse(first.Body).RootElement;
        Assert.Equal("7", body.GetProperty("metadata").GetProperty("resourceVersion").GetString());
        Assert.Equal("2026-01-02T03:04:05.000000Z", body.GetProperty("spec").GetProperty("renewTime").GetString());
        Assert.Single(body.GetProperty("spec").EnumerateObject());
        var accepted = Assert.Single(body.GetProperty("metadata").GetProperty("annotations").EnumerateObject());
        Assert.Equal(LeaseContract.AcceptedAnnotation, accepted.Name);
        Assert.Equal(Terms, JsonSerializer.Deserialize(accepted.Value.GetString()!, AgentJson.Default.LeaseTerms));
        Assert.Empty(JsonDocument.Parse(second.Body).RootElement.GetProperty("metadata").GetProperty("annotations").EnumerateObject());
    }

    [Fact]
    public async Task A_release_removes_the_holder_and_leaves_the_note()
    {
        server.Answer = (_, context) => context.Response.WriteAsync(Lease("8"));
        var note = new ReleaseNote(Holder, 3, ReleaseReason.ProcessDown, 42, "it \"ended\"");
        Assert.IsType<LeaseReply.Found>(await api.ReleaseAsync(new LeaseRecord { Holder = Holder, Term = 3, Version = "7" }, note, Stop));
        var body = JsonDocument.Parse(Assert.Single(server.Requests).Body).RootElement;
        Assert.Equal(JsonValueKind.Null, body.GetProperty("spec").GetProperty("holderIdentity").ValueKind);
        var annotations = body.GetProperty("metadata").GetProperty("annotations");
        Assert.Equal(JsonValueKind.Null, annotations.GetProperty(LeaseContract.AssignmentAnnotation).ValueKind);
        Assert.Equal(note, JsonSerializer.Deserialize(annotations.GetProperty(LeaseContract.ReleaseAnnotation).GetString()!, AgentJson.Default.ReleaseNote));
    }

    [Theory]
    [InlineData(409, "{}", typeof(LeaseReply.Conflict), null)]
    [InlineData(404, """{"reason":"NotFound","details":{"name":"db-0","kind":"leases"}}""", typeof(LeaseReply.Absent), null)]
    [InlineData(404, "page not found", typeof(LeaseReply.Failed), "answered 404")]
    [InlineData(403, "{}", typeof(LeaseReply.Failed), "give it a Role with get, list, watch and patch on the lease db-0")]
    [InlineData(401, "{}", typeof(LeaseReply.Failed), "does not accept the token")]
    [InlineData(503, """{"message":"etcd is away"}""", typeof(LeaseReply.Failed), "answered 503: etcd is away")]
    [InlineData(200, "no lease", typeof(LeaseReply.Failed), "something that is no lease")]
    public async Task Each_answer_is_told_apart(int status, string body, Type kind, string? message)
    {
        server.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        };
        var reply = await api.RenewAsync(new LeaseRecord { Version = "7" }, Terms, Stop);
        Assert.IsType(kind, reply);
        if (message is not null) Assert.Contains(message, ((LeaseReply.Failed)reply).Message);
    }

    [Fact]
    public async Task An_api_server_that_is_away_is_a_failure_that_says_so()
    {
        await server.DisposeAsync();
        using var gone = new KubernetesLeaseApi(server.Account, "shop", "db-0", time);
        Assert.Contains("cannot be read", Assert.IsType<LeaseReply.Failed>(await gone.ReadAsync(Stop)).Message);
        await using var other = await LoopbackApiServer.StartAsync();
        using var refused = new KubernetesLeaseApi(other.Account with { Server = server.Account.Server }, "shop", "db-0", time);
        Assert.Contains("cannot be reached", Assert.IsType<LeaseReply.Failed>(await refused.ReadAsync(Stop)).Message);
        server = await LoopbackApiServer.StartAsync();
    }

    [Fact]
    public async Task A_server_whose_certificate_is_from_another_authority_is_not_believed()
    {
        await using var stranger = await LoopbackApiServer.StartAsync(isTrusted: false);
        stranger.Answer = (_, context) => context.Response.WriteAsync(Lease("7"));
        using var strange = new KubernetesLeaseApi(stranger.Account, "shop", "db-0", time);
        Assert.Contains("no trusted connection", Assert.IsType<LeaseReply.Failed>(await strange.ReadAsync(Stop)).Message);
        Assert.Empty(stranger.Requests);
    }

    [Fact]
    public async Task A_call_without_an_answer_ends_by_itself_and_the_next_is_not_stuck_behind_it()
    {
        var hang = true;
        var arrived = new TaskCompletionSource();
        server.Answer = async (_, context) =>
        {
            if (hang)
            {
                arrived.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, RealClock.Instance, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else
            {
                await context.Response.WriteAsync(Lease("7"));
            }
        };
        var hung = api.ReadAsync(Stop);
        await arrived.Task.WaitAsync(Soon, Stop);
        hang = false;
        Assert.IsType<LeaseReply.Found>(await api.ReadAsync(Stop).WaitAsync(Soon, Stop));
        Assert.False(hung.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(new LeaseReply.Failed("the API server did not answer in time"), await hung.WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task A_renewed_token_is_used()
    {
        server.Answer = (_, context) => context.Response.WriteAsync(Lease("7"));
        await api.ReadAsync(Stop);
        server.ReplaceToken("second");
        await api.ReadAsync(Stop);
        Assert.Equal(["Bearer first", "Bearer second"], server.Requests.Select(r => r.Token));
    }

    [Fact]
    public async Task A_watch_tells_what_is_there_and_every_change()
    {
        var more = new SemaphoreSlim(0);
        server.Answer = async (asked, context) =>
        {
            if (!asked.Path.Contains("watch=true"))
            {
                await context.Response.WriteAsync($$"""{"metadata":{"resourceVersion":"5"},"items":[{{Lease("4")}}]}""");
                return;
            }
            var events = Event("MODIFIED", Lease("6")) + Event("BOOKMARK", "{}") + Event("DELETED", Lease("6")) + Event("ADDED", Lease("9"));
            // In pieces that are no lines.
            foreach (var piece in events.Chunk(100))
            {
                await context.Response.WriteAsync(new string(piece));
                await context.Response.Body.FlushAsync();
            }
            await more.WaitAsync(context.RequestAborted);
        };
        var seen = new List<string?>();
        await foreach (var lease in api.WatchAsync(Stop))
        {
            seen.Add(lease?.Version);
            if (seen.Count == 4) break;
        }
        Assert.Equal(["4", "6", null, "9"], seen);
        Assert.Equal(
            ["/apis/coordination.k8s.io/v1/namespaces/shop/leases?fieldSelector=metadata.name%3Ddb-0",
             "/apis/coordination.k8s.io/v1/namespaces/shop/leases?fieldSelector=metadata.name%3Ddb-0&watch=true&resourceVersion=5"],
            server.Requests.Select(r => r.Path));
    }

    [Theory]
    [InlineData("""{"type":"ERROR","object":{"code":410,"reason":"Expired"}}""")]
    [InlineData("no JSON")]
    public async Task A_watch_that_cannot_go_on_ends(string line)
    {
        server.Answer = async (asked, context) =>
        {
            if (!asked.Path.Contains("watch=true")) await context.Response.WriteAsync("""{"metadata":{"resourceVersion":"5"},"items":[]}""");
            else
            {
                await context.Response.WriteAsync(line + "\n");
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, RealClock.Instance, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        };
        Assert.Equal([null], await api.WatchAsync(Stop).ToListAsync(Stop).AsTask().WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task A_line_without_end_does_not_fill_the_memory()
    {
        server.Answer = async (asked, context) =>
        {
            if (!asked.Path.Contains("watch=true")) await context.Response.WriteAsync("""{"metadata":{"resourceVersion":"5"},"items":[]}""");
            else
                while (!context.RequestAborted.IsCancellationRequested)
                    await context.Response.WriteAsync(new string('x', 100_000), context.RequestAborted);
        };
        Assert.Equal([null], await api.WatchAsync(Stop).ToListAsync(Stop).AsTask().WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task A_silent_watch_ends()
    {
        var watching = new TaskCompletionSource();
        server.Answer = async (asked, context) =>
        {
            if (!asked.Path.Contains("watch=true")) await context.Response.WriteAsync("""{"metadata":{"resourceVersion":"5"},"items":[]}""");
            else
            {
                await context.Response.Body.FlushAsync();
                watching.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, RealClock.Instance, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        };
        var watch = api.WatchAsync(Stop).ToListAsync(Stop).AsTask();
        await watching.Task.WaitAsync(Soon, Stop);
        while (!watch.IsCompleted)
        {
            // Whichever timer is running by now.
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(5), RealClock.Instance, Stop);
        }
        Assert.Equal([null], await watch);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    public async Task A_watch_that_is_refused_tells_nothing(int status)
    {
        server.Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };
        Assert.Empty(await api.WatchAsync(Stop).ToListAsync(Stop).AsTask().WaitAsync(Soon, Stop));
    }

    private static string Event(string type, string lease) => $$"""{"type":"{{type}}","object":{{lease}}}""" + "\n";

    private static string Lease(string version, string? terms = null) => JsonSerializer.Serialize(new
    {
        apiVersion = "coordination.k8s.io/v1",
        kind = "Lease",
        metadata = new
        {
            name = "db-0",
            resourceVersion = version,
            labels = new { whatever = "stays" },
            annotations = new Dictionary<string, string>
            {
                [LeaseContract.AssignmentAnnotation] = "db-0/uid-0 3",
                [LeaseContract.TermsAnnotation] = terms ?? JsonSerializer.Serialize(Terms, AgentJson.Default.LeaseTerms),
                [LeaseContract.AcceptedAnnotation] = terms ?? JsonSerializer.Serialize(Terms, AgentJson.Default.LeaseTerms),
                [LeaseContract.FloorAnnotation] = """{"history":"system:2","unseen":1,"and":{"history":"system:7","unseen":0}}""",
                [LeaseContract.ReleaseAnnotation] = JsonSerializer.Serialize(new ReleaseNote("db-1/uid-1", 2, ReleaseReason.HandOver, 5, null), AgentJson.Default.ReleaseNote),
            },
        },
        spec = new { holderIdentity = Holder, leaseDurationSeconds = 5, leaseTransitions = 3, renewTime = "2026-01-01T00:00:00.000000Z" },
    });
}
