using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Hooks;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Engines.Hooks;

public sealed class HooksEngineTests
{
    private static readonly MemberEndpoint Member = new("shop", "orders-1", "uid-1", "10.0.0.1");
    private static readonly MemberEndpoint Primary = new("shop", "orders-0", "uid-0", "10.0.0.0");
    private static readonly EngineContext Context = new("orders", "0", 7);
    private static readonly HookSpec Exec = new() { Exec = new ExecHookSpec { Command = ["/hook", "$(ACTION)"], Container = "db" } };
    private static readonly HookSpec Post = new() { Http = new HttpHookSpec { Port = 8080, Path = "/hook" } };

    private readonly FakeTimeProvider _time = new();
    private readonly Runner _runner = new();
    private readonly Handler _handler = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_answer_is_read_field_by_field()
    {
        _runner.Prints("""
            {"role":"Standby","writable":false,"instance":"a","positionBytes":5,"lagBytes":6,"link":"Down","linkDownSeconds":7,
             "followsAddress":"10.0.0.0","isEmpty":false,"message":"hello"}
            """);

        Assert.Equal(new EngineStatus
        {
            Role = EngineRole.Standby,
            Writable = false,
            Instance = "a",
            PositionBytes = 5,
            ReportedLagBytes = 6,
            Link = ReplicationLink.Down,
            LinkDownFor = TimeSpan.FromSeconds(7),
            FollowsAddress = "10.0.0.0",
            IsEmpty = false,
            Message = "hello",
        }, Assert.IsType<EngineReply.Answered>(await StatusAsync(Exec)).Status);
    }

    [Fact]
    public async Task What_is_not_told_is_unknown()
    {
        _runner.Prints("""{"role":"Primary","writable":true,"positionBytes":null}""");

        Assert.Equal(new EngineStatus { Role = EngineRole.Primary, Writable = true },
            Assert.IsType<EngineReply.Answered>(await StatusAsync(Exec)).Status);
    }

    public static TheoryData<string, string> LongInstance =>
        new() { { $$"""{"role":"Primary","writable":true,"instance":"{{new string('i', 257)}}"}""", "an instance of more than 256 characters" } };

    [Theory]
    [InlineData("", "answered nothing")]
    [InlineData(" \n", "answered nothing")]
    [InlineData("primary", "not JSON: primary")]
    [InlineData("{\"role\":\"Primary\"", "not JSON")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true} done", "not JSON")]
    [InlineData("[]", "not an object")]
    [InlineData("{}", "no role")]
    [InlineData("{\"role\":\"Primary\"}", "no writable")]
    [InlineData("{\"role\":\"Leader\",\"writable\":true}", "role 'Leader'; it must be one of Unknown, Primary, Standby")]
    [InlineData("{\"role\":\"1\",\"writable\":true}", "role '1'")]
    [InlineData("{\"role\":\"Primary\",\"writable\":\"yes\"}", "writable that is not true or false")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"positionBytes\":-1}", "a negative positionBytes (-1)")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"lagBytes\":-1}", "a negative lagBytes (-1)")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"lagBytes\":1.5}", "lagBytes that is not a whole number")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"linkDownSeconds\":-2}", "a negative linkDownSeconds (-2)")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"linkDownSeconds\":9223372036854775807}", "too large")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"link\":\"Fine\"}", "link 'Fine'")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"instance\":3}", "instance that is not a string")]
    [InlineData("{\"role\":\"Primary\",\"writable\":true,\"postionBytes\":3}", "unknown field 'postionBytes'")]
    [MemberData(nameof(LongInstance))]
    public async Task An_answer_that_cannot_be_understood_fails_with_a_sentence(string answer, string sentence)
    {
        _runner.Prints(answer);
        _handler.Answers(HttpStatusCode.OK, answer);

        Assert.Contains(sentence, Assert.IsType<EngineReply.Failed>(await StatusAsync(Exec)).Message);
        Assert.Contains(sentence, Assert.IsType<EngineReply.Failed>(await StatusAsync(Post)).Message);
    }

    public static TheoryData<PodCommandResult, Type, string> Ends => new()
    {
        { new PodCommandResult.Exited(3, "", "disk\nfull" + new string('x', 500)), typeof(EngineReply.Failed), "exit code 3: disk full" + new string('x', 191) + "…" },
        { new PodCommandResult.Exited(127, "", "sh: nope"), typeof(EngineReply.Failed), "could not run '/hook' (exit code 127: not found): sh: nope" },
        { new PodCommandResult.Exited(126, "", ""), typeof(EngineReply.Failed), "(exit code 126: not executable)" },
        { new PodCommandResult.Exited(0, new string('x', 10_000_000), ""), typeof(EngineReply.Failed), "more than 64 KiB" },
        { new PodCommandResult.TooMuchOutput(65536), typeof(EngineReply.Failed), "more than 64 KiB" },
        { new PodCommandResult.TimedOut(), typeof(EngineReply.Silent), "did not end within 5 s" },
        { new PodCommandResult.NotRun("container db is not valid for pod orders-1"), typeof(EngineReply.Silent), "container db is not valid" },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_command_that_does_not_succeed_says_why(PodCommandResult result, Type reply, string sentence)
    {
        _runner.Result = result;

        var status = await StatusAsync(Exec);
        var promotion = await Engine(Exec).PromoteAsync(Member, Context, Cancelled);

        Assert.IsType(reply, status);
        Assert.Contains(sentence, EngineReply.Describe(status));
        Assert.Contains(sentence, Assert.IsType<EngineOutcome.NotDone>(promotion).Message);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "no disk", "HTTP status 500: no disk")]
    [InlineData(HttpStatusCode.NotFound, "", "HTTP status 404")]
    [InlineData(HttpStatusCode.Found, "", "HTTP status 302")]
    public async Task Another_status_than_2xx_fails(HttpStatusCode code, string body, string sentence)
    {
        _handler.Answers(code, body);

        Assert.Contains(sentence, Assert.IsType<EngineReply.Failed>(await StatusAsync(Post)).Message);
    }

    [Fact]
    public async Task An_endless_body_is_cut_off()
    {
        _handler.Answer = _ => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new EndlessStream()) });

        Assert.Contains("more than 64 KiB", Assert.IsType<EngineReply.Failed>(await StatusAsync(Post)).Message);
    }

    [Fact]
    public async Task A_refused_connection_is_refused_and_a_broken_one_silent()
    {
        _handler.Answer = _ => throw new HttpRequestException("refused", new SocketException((int)SocketError.ConnectionRefused));
        Assert.Contains("8080", Assert.IsType<EngineReply.Refused>(await StatusAsync(Post)).Message);

        _handler.Answer = _ => throw new HttpRequestException("reset", new SocketException((int)SocketError.ConnectionReset));
        _ = Assert.IsType<EngineReply.Silent>(await StatusAsync(Post));
    }

    [Fact]
    public async Task An_http_hook_that_hangs_is_silent_after_its_timeout()
    {
        _handler.Answer = async token =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
            throw new InvalidOperationException("never");
        };

        var asking = StatusAsync(Post);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(asking.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Contains("did not end within 5 s", Assert.IsType<EngineReply.Silent>(await asking).Message);
    }

    [Fact]
    public async Task A_cancelled_caller_gets_its_cancellation()
    {
        using var caller = new CancellationTokenSource();
        _handler.Answer = async token =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
            throw new InvalidOperationException("never");
        };
        var asking = Engine(Post).StatusAsync(Member, caller.Token);

        await caller.CancelAsync();

        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task The_request_names_everything_on_one_line()
    {
        const string Expected = """
            {"apiVersion":"failover-operator.io/hooks/v1","action":"follow","group":"orders","namespace":"shop","slot":"0","term":7,"member":{"name":"orders-1","address":"10.0.0.1"},"primary":{"name":"orders-0","address":"10.0.0.0"}}
            """;

        Assert.Equal(new EngineOutcome.Done(), await Engine(Exec).FollowAsync(Member, Primary, Context, Cancelled));
        Assert.Equal(new EngineOutcome.Done(), await Engine(Post).FollowAsync(Member, Primary, Context, Cancelled));

        Assert.Equal(Expected + "\n", _runner.Input);
        Assert.Equal(Expected, _handler.Body);
        Assert.Equal("http://10.0.0.1:8080/hook", _handler.Url);
        Assert.Equal(("db", "/hook follow"), (_runner.Container, string.Join(' ', _runner.Command)));
    }

    [Theory]
    [InlineData("$(ACTION) $(GROUP)/$(SLOT)@$(TERM)", "follow orders/0@7")]
    [InlineData("$(MEMBER)<$(PRIMARY_NAME)=$(PRIMARY_ADDRESS)", "orders-1<orders-0=10.0.0.0")]
    [InlineData("$$(TERM)", "$(TERM)")]
    [InlineData("$$$(TERM)", "$7")]
    [InlineData("$(OTHER) $TERM $ $(TERM", "$(OTHER) $TERM $ $(TERM")]
    [InlineData("cost: 5$", "cost: 5$")]
    public void Arguments_are_expanded_by_the_rules_of_Kubernetes(string argument, string expected)
    {
        var request = new HookRequest("follow", "orders", "shop", "0", 7, new("orders-1", "10.0.0.1"), new("orders-0", "10.0.0.0"));

        Assert.Equal(expected, request.Expand(argument));
    }

    [Fact]
    public async Task Nobody_is_told_to_follow_itself() =>
        Assert.Contains("itself", Assert.IsType<EngineOutcome.NotDone>(await Engine(Exec).FollowAsync(Member, Member, Context, Cancelled)).Message);

    [Fact]
    public async Task Without_a_demote_hook_a_member_is_not_demoted() =>
        Assert.Contains("no hook demote", Assert.IsType<EngineOutcome.NotDone>(await Engine(Exec).DemoteAsync(Member, Context, Cancelled)).Message);

    [Theory]
    [InlineData("{\"role\":\"Primary\",\"writable\":true}", null)]
    [InlineData("{\"role\":\"Primary\",\"writable\":false}", "does not say writable: true")]
    [InlineData("?", "not JSON")]
    public async Task Without_a_verify_hook_status_decides(string answer, string? sentence)
    {
        _runner.Prints(answer);

        var outcome = await Engine(Exec).VerifyAsync(Member, "10.0.0.1", 0, Context, Cancelled);

        Assert.Equal(sentence is null, outcome is EngineOutcome.Done);
        Assert.Contains(sentence ?? "", (outcome as EngineOutcome.NotDone)?.Message ?? "");
    }

    [Fact]
    public async Task A_hook_with_neither_exec_nor_http_fails_with_a_sentence() =>
        Assert.Contains("exactly one of exec and http", Assert.IsType<EngineReply.Failed>(await StatusAsync(new HookSpec())).Message);

    private Task<EngineReply> StatusAsync(HookSpec hook) => Engine(hook).StatusAsync(Member, Cancelled);

    private HooksEngine Engine(HookSpec hook)
    {
        var hooks = new HooksEngineSpec { Status = hook, Promote = hook, Follow = hook };
        return new HooksEngine(hooks, "orders", "0", _runner, () => new HttpClient(_handler, disposeHandler: false), _time);
    }

    private sealed class Runner : IPodCommandRunner
    {
        public PodCommandResult Result { get; set; } = new PodCommandResult.Exited(0, "", "");

        public IReadOnlyList<string> Command { get; private set; } = [];

        public string Container { get; private set; } = "";

        public string Input { get; private set; } = "";

        public void Prints(string output) => Result = new PodCommandResult.Exited(0, output, "");

        public Task<PodCommandResult> RunAsync(
            MemberEndpoint member, string container, IReadOnlyList<string> command, string standardInput,
            int maxOutputBytes, TimeSpan timeout, CancellationToken cancellationToken)
        {
            (Container, Command, Input) = (container, command, standardInput);
            return Task.FromResult(Result);
        }
    }

    private sealed class Handler : HttpMessageHandler
    {
        public Func<CancellationToken, Task<HttpResponseMessage>> Answer { get; set; } = _ => Task.FromResult(new HttpResponseMessage());

        public string Body { get; private set; } = "";

        public string Url { get; private set; } = "";

        public void Answers(HttpStatusCode code, string body) =>
            Answer = _ => Task.FromResult(new HttpResponseMessage(code) { Content = new StringContent(body, Encoding.UTF8) });

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Url = request.RequestUri!.ToString();
            Body = await request.Content!.ReadAsStringAsync(cancellationToken);
            return await Answer(cancellationToken);
        }
    }

    /// <summary>As a hook that never stops printing.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)'x');
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
