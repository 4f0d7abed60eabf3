using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using FailoverOperator.Agent.Http;
using FailoverOperator.Agent.Loop;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Tests.Loop;
using FailoverOperator.Api.Agents;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Agent.Tests.Http;

/// <summary>The HTTP interface over real sockets; what is behind it are fakes, and the loop does not run.</summary>
public sealed class AgentHttpTests : IAsyncLifetime
{
    private const string Token = "the-token";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly HttpClient http = new();
    private readonly FakeTimeProvider time = new();
    private readonly FakeSupervisor supervisor;
    private readonly FakeServer server;
    private readonly AgentState state;
    private readonly WebApplication app;
    private Uri address = null!;

    public AgentHttpTests()
    {
        supervisor = new FakeSupervisor(time);
        server = new FakeServer(supervisor, time);
        state = new AgentState(AgentUnderTest.Me, new AgentUnderTest.FakeWatchdog(), time);
        var world = new AgentWorld(new FakeLeaseApi(time), server, new AgentUnderTest.FakePeers(), supervisor, time, new Random(1), Soon, _ => { });
        app = HttpHost.Make(IPAddress.Loopback, 0, new AgentHttp(new AgentLoop(state, world), state, supervisor, Token).AnswerAsync);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await app.StartAsync(Stop);
        address = new Uri(app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", AgentContract.StatusPath)]
    [InlineData("GET", AgentContract.MetricsPath)]
    [InlineData("POST", AgentContract.AcknowledgePath)]
    [InlineData("GET", "/anything")]
    public async Task Without_the_token_nothing_is_told_and_nothing_promised(string method, string path)
    {
        foreach (var authorization in new[] { null, "Bearer wrong", "Bearer the-toke", "Bearer the-token2", "the-token", "Basic the-token" })
        {
            using var response = await SendAsync(method, path, authorization, Question(AgentUnderTest.Other));
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
        Assert.Null(state.Memory.Pledge.Holder);
    }

    [Fact]
    public async Task A_holder_who_asks_is_acknowledged_and_the_promise_is_told()
    {
        using var response = await SendAsync("POST", AgentContract.AcknowledgePath, "Bearer the-token", Question(AgentUnderTest.Other));
        var reply = JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(Stop), AgentJson.Default.AcknowledgeReply);
        Assert.Equal(new AcknowledgeReply(true, null), reply);
        var status = await StatusAsync();
        Assert.Equal((AgentUnderTest.Other, 7L), (status.Acknowledged?.Holder, status.Acknowledged?.Term));
        Assert.Equal(7, status.Term);
    }

    [Fact]
    public async Task The_peers_client_and_the_interface_understand_each_other()
    {
        using var peers = new HttpPeers(Token);
        using var strangers = new HttpPeers("wrong");
        var member = new LeaseMember("db-0", "uid-0", address.Host, address.Port);
        var request = new AcknowledgeRequest(AgentUnderTest.Other, 7, AgentUnderTest.Me, 5);
        Assert.True((await peers.AcknowledgeAsync(member, request, Stop))?.Granted);
        Assert.Contains("this is", (await peers.AcknowledgeAsync(member, request with { Member = "db-2/uid-2" }, Stop))?.Reason);
        Assert.Null(await strangers.AcknowledgeAsync(member, request, Stop));
        Assert.Null(await peers.AcknowledgeAsync(member with { AgentPort = 1 }, request, Stop));
        Assert.Null(await peers.AcknowledgeAsync(member with { Address = "no address" }, request, Stop));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => peers.AcknowledgeAsync(member, request, new CancellationToken(true)));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("no JSON", 400)]
    [InlineData("null", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{"holder":null,"term":1,"member":"x","leaseDurationSeconds":5}""", 400)]
    public async Task A_question_that_is_none_is_refused(string body, int code)
    {
        using var response = await SendAsync("POST", AgentContract.AcknowledgePath, "Bearer the-token", Encoding.UTF8.GetBytes(body));
        Assert.Equal(code, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_big_body_is_not_read()
    {
        using var response = await SendAsync("POST", AgentContract.AcknowledgePath, "Bearer the-token", new byte[10_000_000]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Null(state.Memory.Pledge.Holder);
    }

    [Fact]
    public async Task The_status_is_fresh_and_tells_its_age()
    {
        await server.ServeAsync(2, AgentUnderTest.Terms, null, () => { }, Stop);
        var status = await StatusAsync();
        Assert.Equal((AgentUnderTest.Me, "Primary", true, true), (status.Identity, status.Server?.Role, status.Server?.Writable, status.ProcessRuns));
        Assert.InRange(status.AgeMilliseconds, 0, 500);
    }

    [Fact]
    public async Task The_end_of_the_process_makes_what_it_said_before_worthless()
    {
        await server.ServeAsync(2, AgentUnderTest.Terms, null, () => { }, Stop);
        Assert.NotNull((await StatusAsync()).Server);
        supervisor.Crash(137);
        var status = await StatusAsync();
        Assert.Equal((null, false), (status.Server, status.ProcessRuns));
        Assert.Contains("the server does not run", status.Message);
    }

    [Fact]
    public async Task A_server_that_hangs_makes_nobody_wait_and_its_last_word_grows_old()
    {
        await server.ServeAsync(2, AgentUnderTest.Terms, null, () => { }, Stop);
        await StatusAsync();
        server.IsHung = true;
        time.Advance(TimeSpan.FromMilliseconds(150));
        var asking = StatusAsync();
        await AdvanceUntilAsync(asking);
        var old = await asking;
        Assert.NotNull(old.Server);
        Assert.InRange(old.AgeMilliseconds, 150, 1000);
        time.Advance(StatusSource.Timeout);
        var silent = await StatusAsync();
        Assert.Null(silent.Server);
        Assert.Contains("answer", silent.Message);
        Assert.True(silent.ProcessRuns);
    }

    [Fact]
    public async Task The_kubelet_needs_no_token_and_is_told_whether_the_server_answers()
    {
        using var notReady = await SendAsync("GET", AgentContract.ReadinessPath, null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, notReady.StatusCode);
        await server.StandByAsync(Stop);
        using var ready = await SendAsync("GET", AgentContract.ReadinessPath, null);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        using var alive = await SendAsync("GET", AgentContract.LivenessPath, null);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Fact]
    public async Task A_loop_that_does_not_turn_is_not_alive()
    {
        // It never ran here.
        time.Advance(TimeSpan.FromSeconds(2.1));
        using var response = await SendAsync("GET", AgentContract.LivenessPath, null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    private static byte[] Question(string holder) => JsonSerializer.SerializeToUtf8Bytes(new AcknowledgeRequest(holder, 7, AgentUnderTest.Me, 5), AgentJson.Default.AcknowledgeRequest);

    private async Task<AgentStatus> StatusAsync()
    {
        using var response = await SendAsync("GET", AgentContract.StatusPath, "Bearer the-token");
        return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(Stop), AgentJson.Default.AgentStatus)!;
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? authorization, byte[]? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, path));
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        // A server that refuses early must be heard before everything is sent.
        if (body is not null && method == "POST") (request.Content, request.Headers.ExpectContinue) = (new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }, true);
        return await http.SendAsync(request, Stop).WaitAsync(Soon, Stop);
    }

    private async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(1), RealClock.Instance, Stop);
        }
    }
}
