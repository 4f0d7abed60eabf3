using System.Collections.Concurrent;
using System.Net;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Benchmarks;

/// <summary>One pod with its agent and server, of which there is only what the operator can see.</summary>
internal sealed class Member(string group, string name, string uid, string address)
{
    public string Group => group;

    public string Name => name;

    public string Address => address;

    public string Uid => uid;

    public string Identity { get; } = LeaseContract.Identity(name, uid);

    /// <summary>Its node has no power: no question is answered, no lease renewed.</summary>
    public bool IsLost { get; set; }

    /// <summary>The term that it serves in. Null: it is a standby.</summary>
    public long? Serves { get; set; }
}

/// <summary>The agents' HTTP interface, of all members at once: which of them is asked is told by the address.</summary>
internal sealed class Members : IAsyncDisposable
{
    private readonly ConcurrentDictionary<IPAddress, Member> _byAddress = new();
    private readonly ConcurrentDictionary<string, List<Member>> _byGroup = new();
    private readonly WebApplication _server;

    private Members(WebApplication server) => _server = server;

    public long Questions;

    public IReadOnlyList<Member> Of(string group) => _byGroup[group];

    public void Add(Member member)
    {
        _byAddress[IPAddress.Parse(member.Address)] = member;
        _byGroup.GetOrAdd(member.Group, _ => []).Add(member);
    }

    public static async Task<Members> ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, AgentContract.DefaultPort));
        var app = builder.Build();
        var members = new Members(app);
        app.Run(members.AnswerAsync);
        await app.StartAsync();
        return members;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref Questions);
        var member = _byAddress[context.Connection.LocalIpAddress!];
        if (member.IsLost) await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        else await context.Response.WriteAsJsonAsync(Status(member), AgentJson.Default.AgentStatus);
    }

    private AgentStatus Status(Member member)
    {
        var primary = Of(member.Group).FirstOrDefault(m => m.Serves is not null && !m.IsLost);
        return new AgentStatus
        {
            Identity = member.Identity,
            Term = member.Serves ?? primary?.Serves ?? 0,
            ProcessRuns = true,
            RenewedAgoMilliseconds = member.Serves is null ? null : 0,
            Server = new ServerStatus
            {
                Role = member.Serves is null ? "Standby" : "Primary",
                Writable = member.Serves is not null,
                Instance = member.Uid,
                PositionBytes = 1000,
                History = "1",
                Link = member.Serves is not null ? "Unknown" : primary is null ? "Down" : "Up",
                LinkDownMilliseconds = member.Serves is null && primary is null ? 1000 : null,
                FollowsAddress = member.Serves is null ? primary?.Address : null,
                IsEmpty = false,
            },
        };
    }
}
