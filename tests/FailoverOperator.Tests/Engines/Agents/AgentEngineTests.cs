using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Agents;

namespace FailoverOperator.Tests.Engines.Agents;

/// <summary>Against a real server on a loopback address, well or badly behaved.</summary>
public sealed class AgentEngineTests : IAsyncDisposable
{
    private const string Token = "open-sesame";
    private static readonly EngineContext Context = new("db", "0", 7);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly AgentStatus Standby = new()
    {
        Identity = "db-1/uid-1",
        Term = 7,
        AgeMilliseconds = 12,
        ProcessRuns = true,
        Acknowledged = new Acknowledged("db-0/uid-0", 6, 345),
        Server = new ServerStatus
        {
            Role = "Standby",
            Instance = "i",
            PositionBytes = 5,
            History = "h",
            PreviousHistory = "g",
            Link = "Down",
            LinkDownMilliseconds = 1500,
            FollowsAddress = "10.0.0.9",
            IsEmpty = false,
            Message = "hello",
        },
    };

    private readonly ScriptedServer _server = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly List<string> _disturbed = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _http.Dispose();
    }

    [Fact]
    public async Task A_full_answer_is_read_field_by_field()
    {
        Says(Standby);
        await using var engine = Engine();
        Assert.Equal(new EngineStatus
        {
            Role = EngineRole.Standby,
            Writable = false,
            Instance = "i",
            PositionBytes = 5,
            History = "h",
            PreviousHistory = "g",
            Link = ReplicationLink.Down,
            LinkDownFor = TimeSpan.FromSeconds(1.5),
            FollowsAddress = "10.0.0.9",
            IsEmpty = false,
            Message = "hello",
            Age = TimeSpan.FromMilliseconds(12),
            Agent = new AgentFacts { Term = 7, ProcessRuns = true, AcknowledgedHolder = "db-0/uid-0", AcknowledgedTerm = 6, AcknowledgedAgo = TimeSpan.FromMilliseconds(345) },
        }, Assert.IsType<EngineReply.Answered>(await AskAsync(engine)).Status);
        var request = Assert.Single(_server.Requests);
        Assert.StartsWith("GET /v1/status HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains($"Authorization: Bearer {Token}", request);
    }

    [Fact]
    public async Task Since_when_it_has_not_been_the_primary_is_an_age()
    {
        Says(Standby with { ServedAgoMilliseconds = 1500 });
        await using var engine = Engine();
        Assert.Equal(TimeSpan.FromSeconds(1.5), Assert.IsType<EngineReply.Answered>(await AskAsync(engine)).Status.Agent!.ServedAgo);
    }

    [Fact]
    public async Task Questions_share_a_connection()
    {
        Says(Standby with { RenewedAgoMilliseconds = 20 });
        await using var engine = Engine(new AgentSettings { Port = _server.Port, ProbeTimeout = Patience });
        for (var i = 0; i < 5; i++) Assert.Equal(TimeSpan.FromMilliseconds(20), Assert.IsType<EngineReply.Answered>(await AskAsync(engine)).Status.Agent!.RenewedAgo);
        Assert.Equal(5, _server.Requests.Count);
    }

    [Theory]
    [InlineData("401 Unauthorized")]
    [InlineData("403 Forbidden")]
    public async Task A_token_that_is_rejected_is_no_word_about_the_member(string status)
    {
        _server.Answer = _ => ScriptedServer.Http("", status);
        await using var engine = Engine();
        var reply = Assert.IsType<EngineReply.Unauthorized>(await AskAsync(engine));
        Assert.Contains("spec.agent.tokenSecretRef", reply.Message);
        Assert.DoesNotContain(Token, reply.Message);
    }

    [Fact]
    public async Task A_token_that_cannot_be_sent_is_said_to_be_so()
    {
        await using var engine = new AgentEngine(Settings, "two\nlines", null, _http, RealClock.Instance);
        Assert.Contains("cannot be sent", Assert.IsType<EngineReply.Unauthorized>(await AskAsync(engine)).Message);
        Assert.Empty(_server.Requests);
    }

    public static TheoryData<string, string> Nonsense => new()
    {
        { "", "no status" },
        { "null", "null" },
        { "[1]", "no status: [1]" },
        { "{\"term\":1}", "no status" },
        { "{\"identity\":null}", "at the address of db-1 answers , not it" },
        { Json(Standby with { Identity = "db-1/uid-of-another" }), "db-1/uid-of-another, not it" },
        { Json(Standby with { Term = -1 }), "negative term" },
        { Json(Standby with { AgeMilliseconds = -1 }), "negative age" },
        { Json(Standby with { AgeMilliseconds = long.MaxValue }), "negative age" },
        { Json(Standby with { RenewedAgoMilliseconds = -1 }), "negative age" },
        { Json(Standby with { ServedAgoMilliseconds = -1 }), "negative age" },
        { Json(Standby with { Acknowledged = new Acknowledged("x/y", 1, -1) }), "negative age" },
        { Json(Standby with { Server = Standby.Server! with { Role = "Leader" } }), "role 'Leader'" },
        { Json(Standby with { Server = Standby.Server! with { Role = "1" } }), "role '1'" },
        { "{\"identity\":\"db-1/uid-1\",\"server\":{\"role\":null}}", "role ''" },
        { Json(Standby with { Server = Standby.Server! with { Link = "Fine" } }), "link 'Fine'" },
        { Json(Standby with { Server = Standby.Server! with { LinkDownMilliseconds = -1 } }), "negative linkDownMilliseconds" },
        { Json(Standby with { Server = Standby.Server! with { Instance = new string('i', 257) } }), "instance" },
        { Json(Standby with { Server = null, Message = "cannot log in" }), "does not answer its agent: cannot log in" },
    };

    [Theory]
    [MemberData(nameof(Nonsense), DisableDiscoveryEnumeration = true)]
    public async Task What_cannot_be_understood_is_a_failure_that_says_why(string answer, string message)
    {
        _server.Answer = _ => ScriptedServer.Http(answer);
        await using var engine = Engine();
        Assert.Contains(message, Assert.IsType<EngineReply.Failed>(await AskAsync(engine)).Message);
    }

    [Theory]
    [InlineData("500 Internal Server Error", "500: out of order")]
    [InlineData("302 Found", "302")]
    [InlineData("404 Not Found", "404")]
    public async Task Another_HTTP_status_is_a_failure(string status, string message)
    {
        _server.Answer = _ => ScriptedServer.Http("out of order", status, "Location: http://127.0.0.1:1/\r\n");
        await using var engine = Engine();
        Assert.Contains(message, Assert.IsType<EngineReply.Failed>(await AskAsync(engine)).Message);
    }

    [Fact]
    public async Task A_server_that_does_not_run_is_refused_in_its_name()
    {
        Says(Standby with { Server = null, ProcessRuns = false, Message = "exit code 137" });
        await using var engine = Engine();
        Assert.Equal("the server of db-1 does not run: exit code 137", Assert.IsType<EngineReply.Refused>(await AskAsync(engine)).Message);
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_off()
    {
        _server.Answer = _ => ScriptedServer.Http(new string('x', (64 * 1024) + 1));
        await using var engine = Engine();
        Assert.Contains("more than 64 KiB", Assert.IsType<EngineReply.Failed>(await AskAsync(engine)).Message);
    }

    [Fact]
    public async Task An_answer_that_is_not_HTTP_is_no_answer()
    {
        _server.Answer = _ => "+PONG\r\n"u8.ToArray();
        await using var engine = Engine();
        Assert.IsType<EngineReply.Silent>(await AskAsync(engine));
    }

    [Fact]
    public async Task A_process_that_hangs_takes_connections_all_the_same()
    {
        await using var engine = Engine();
        var began = RealClock.Instance.GetTimestamp();
        Assert.Equal(true, Assert.IsType<EngineReply.Silent>(await AskAsync(engine)).Connected);
        Assert.InRange(RealClock.Instance.GetElapsedTime(began), Settings.ProbeTimeout * 0.9, Patience);
    }

    [Fact]
    public async Task A_half_answer_is_waited_for_no_longer_than_any()
    {
        _server.Answer = _ => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"u8.ToArray();
        await using var engine = Engine();
        Assert.Equal(true, Assert.IsType<EngineReply.Silent>(await AskAsync(engine)).Connected);
    }

    /// <summary>Where the queue of connections is full, the kernel drops further ones without a word, as a lost node does.</summary>
    [Fact]
    public async Task An_address_that_does_not_answer_takes_no_connections()
    {
        using var full = new Socket(SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(1);
        var callers = new List<Socket>();
        try
        {
            var isTaken = true;
            while (isTaken)
            {
                var caller = new Socket(SocketType.Stream, ProtocolType.Tcp);
                callers.Add(caller);
                var connecting = caller.ConnectAsync(full.LocalEndPoint!, Cancelled).AsTask();
                isTaken = await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromMilliseconds(300), RealClock.Instance, Cancelled)) == connecting;
            }
            await using var engine = Engine(Settings with { Port = ((IPEndPoint)full.LocalEndPoint!).Port });
            var reply = Assert.IsType<EngineReply.Silent>(await engine.StatusAsync(_server.Member with { PodAddress = "127.0.0.1" }, Cancelled));
            Assert.Equal(false, reply.Connected);
        }
        finally
        {
            callers.ForEach(c => c.Dispose());
        }
    }

    [Fact]
    public async Task A_port_that_nobody_listens_on_is_refused()
    {
        await using var engine = Engine();
        await _server.DisposeAsync();
        Assert.Contains("no agent runs there", Assert.IsType<EngineReply.Refused>(await AskAsync(engine)).Message);
    }

    [Fact]
    public async Task A_connection_that_broke_since_the_last_question_is_replaced()
    {
        Says(Standby);
        await using var engine = Engine();
        Assert.IsType<EngineReply.Answered>(await AskAsync(engine));
        _server.Break();
        Assert.IsType<EngineReply.Answered>(await AskAsync(engine));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_told_at_once()
    {
        Says(Standby);
        var disturbed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var settings = new AgentSettings { Port = _server.Port, ProbeTimeout = Patience };
        await using var engine = new AgentEngine(settings, Token, null, _http, RealClock.Instance, uid => disturbed.TrySetResult(uid));
        Assert.IsType<EngineReply.Answered>(await AskAsync(engine));
        // The idle connection is made behind the answer's back.
        while (!disturbed.Task.IsCompleted)
        {
            _server.Break();
            await Task.Delay(TimeSpan.FromMilliseconds(10), RealClock.Instance, Cancelled);
        }
        Assert.Equal("uid-1", await disturbed.Task.WaitAsync(Patience, RealClock.Instance, Cancelled));
    }

    [Fact]
    public async Task Nothing_is_told_of_connections_that_are_closed_by_the_engine_itself()
    {
        Says(Standby);
        var engine = Engine();
        Assert.IsType<EngineReply.Answered>(await AskAsync(engine));
        await engine.DisposeAsync();
        Assert.Empty(_disturbed);
    }

    [Fact]
    public async Task Agents_take_no_commands_but_the_lease()
    {
        await using var engine = Engine();
        Assert.Contains("lease", Assert.IsType<EngineOutcome.NotDone>(await engine.PromoteAsync(_server.Member, Context, Cancelled)).Message);
        Assert.Contains("lease", Assert.IsType<EngineOutcome.NotDone>(await engine.FollowAsync(_server.Member, _server.Member with { PodName = "db-0" }, Context, Cancelled)).Message);
        Assert.Contains("lease", Assert.IsType<EngineOutcome.NotDone>(await engine.DemoteAsync(_server.Member, Context, Cancelled)).Message);
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("Primary", true, 7, true)]
    [InlineData("Primary", true, 6, false)]
    [InlineData("Primary", true, 8, false)]
    [InlineData("Primary", false, 7, false)]
    [InlineData("Standby", false, 7, false)]
    public async Task Without_a_login_the_agents_word_in_this_term_verifies(string role, bool writable, long term, bool done)
    {
        Says(Standby with { Term = term, Server = Standby.Server! with { Role = role, Writable = writable } });
        await using var engine = Engine();
        Assert.Equal(done, await engine.VerifyAsync(_server.Member, "10.0.0.1", 5432, Context, Cancelled) is EngineOutcome.Done);
    }

    [Fact]
    public async Task With_a_login_the_verifier_writes_where_the_Service_leads()
    {
        var verifier = new Verifier();
        await using (var engine = new AgentEngine(Settings, Token, verifier, _http, RealClock.Instance))
            Assert.IsType<EngineOutcome.Done>(await engine.VerifyAsync(_server.Member, "10.0.0.1", 5432, Context, Cancelled));
        Assert.Equal(("db-1 10.0.0.1:5432 term 7", true), (verifier.Asked, verifier.IsDisposed));
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task A_cancelled_question_ends_at_once()
    {
        await using var engine = Engine(new AgentSettings { Port = _server.Port, ProbeTimeout = Patience * 10 });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var asking = engine.StatusAsync(_server.Member, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Patience, RealClock.Instance, Cancelled));
    }

    private AgentSettings Settings => new() { Port = _server.Port, ProbeTimeout = TimeSpan.FromMilliseconds(800) };

    private AgentEngine Engine(AgentSettings? settings = null) => new(settings ?? Settings, Token, null, _http, RealClock.Instance, _disturbed.Add);

    private Task<EngineReply> AskAsync(AgentEngine engine) => engine.StatusAsync(_server.Member, Cancelled);

    private void Says(AgentStatus status) => _server.Answer = _ => ScriptedServer.Http(Json(status));

    private static string Json(AgentStatus status) => JsonSerializer.Serialize(status, AgentJson.Default.AgentStatus);

    private sealed class Verifier : IWriteVerifier
    {
        public string Asked { get; private set; } = "";

        public bool IsDisposed { get; private set; }

        public Task<EngineOutcome> VerifyAsync(MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
        {
            Asked = $"{member.PodName} {address}:{port} term {context.Term}";
            return Task.FromResult<EngineOutcome>(new EngineOutcome.Done());
        }

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
