using FailoverOperator.Agent.Loop;
using FailoverOperator.Agent.Peers;
using FailoverOperator.Agent.Watchdogs;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Agent.Tests.Loop;

/// <summary>The agent's loop as it ships, in a world of fakes, in virtual time. Checks all the while what must never happen.</summary>
internal sealed class AgentUnderTest : IDisposable
{
    public const string Me = "db-0/uid-0";
    public const string Other = "db-1/uid-1";

    public static readonly LeaseTerms Terms = new()
    {
        Members = [new("db-0", "uid-0", "10.0.0.1", 8008), new("db-1", "uid-1", "10.0.0.2", 8008), new("db-2", "uid-2", "10.0.0.3", 8008)],
    };

    /// <summary>That of <see cref="TestLoop.Pass"/>.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly TestLoop loop = new();
    private readonly FakeTimeProvider time = new();
    private readonly CancellationTokenSource end = new();

    public AgentUnderTest(LeaseRecord? lease = null)
    {
        Api = new FakeLeaseApi(time);
        Supervisor = new FakeSupervisor(time);
        Server = new FakeServer(Supervisor, time);
        Peers = new FakePeers();
        Watchdog = new FakeWatchdog();
        if (lease is not null) Api.Write(lease);
        State = new AgentState(Me, Watchdog, time);
        Loop = new AgentLoop(State, new AgentWorld(Api, Server, Peers, Supervisor, time, new Random(1), TimeSpan.FromSeconds(20), Log.Add));
        Run = loop.Start(() => Loop.RunAsync(end.Token));
    }

    public FakeLeaseApi Api { get; }

    public FakeSupervisor Supervisor { get; }

    public FakeServer Server { get; }

    public FakePeers Peers { get; }

    public FakeWatchdog Watchdog { get; }

    public AgentState State { get; }

    public AgentLoop Loop { get; }

    public Task Run { get; }

    public List<string> Log { get; } = [];

    public TimeSpan Now => time.GetElapsedTime(0);

    public ReleaseNote? Released => Api.Releases is [.., var (_, note)] ? note : null;

    /// <summary>The lease assigned to somebody by the operator.</summary>
    public static LeaseRecord Assigned(string holder, long term, LeaseTerms? terms = null, ReleaseNote? release = null) => new()
    {
        Holder = holder,
        Term = term,
        Assignment = LeaseContract.Assignment(holder, term),
        Terms = terms ?? Terms,
        // So that no promise of a time before binds the agent.
        Release = release ?? new ReleaseNote("db-9/uid-9", term - 1, ReleaseReason.HandOver, null, null),
    };

    /// <summary>An agent that holds the lease and serves.</summary>
    public static AgentUnderTest Holder(LeaseTerms? terms = null)
    {
        var agent = new AgentUnderTest(Assigned(Me, 2, terms));
        agent.Pass(1000);
        Assert.True(agent.Server.IsWritable);
        return agent;
    }

    public void Write(LeaseRecord? lease)
    {
        Api.Write(lease);
        Settle();
    }

    public void Settle()
    {
        loop.Settle();
        Check();
    }

    public void Pass(int milliseconds)
    {
        for (var left = TimeSpan.FromMilliseconds(milliseconds); left > TimeSpan.Zero; left -= Step)
        {
            time.Advance(left < Step ? left : Step);
            Settle();
        }
    }

    /// <summary>Lets time go on until something is so; returns how long that took.</summary>
    public TimeSpan PassUntil(Func<bool> isSo, int atMostMilliseconds = 60_000)
    {
        var began = Now;
        while (!isSo())
        {
            Assert.True(Now - began <= TimeSpan.FromMilliseconds(atMostMilliseconds), $"not so after {atMostMilliseconds} ms; log:\n{string.Join('\n', Log)}");
            Pass(50);
        }
        return Now - began;
    }

    public void Dispose()
    {
        end.Cancel();
        loop.Dispose();
        end.Dispose();
    }

    /// <summary>Writable only by a right that lasts, and no release while writable.</summary>
    private void Check()
    {
        if (Server.IsWritable)
        {
            var killAt = State.Memory.Tenure?.KillAt ?? State.Memory.Lost?.KillAt;
            Assert.True(killAt is not null, "writable without a tenure");
            Assert.True(Now <= killAt + Step, $"writable at {Now} though every process was to be killed at {killAt}");
            Assert.Equal(killAt, Watchdog.KillAt);
            Assert.DoesNotContain(Api.Releases, r => r.Note.Term == Server.Term);
        }
        Assert.True(Loop.IsAlive || Run.IsCompleted, "the liveness probe fails");
    }

    internal sealed class FakePeers : IPeers
    {
        public Func<LeaseMember, AcknowledgeRequest, Task<AcknowledgeReply?>> Answer { get; set; } = (_, _) => Task.FromResult<AcknowledgeReply?>(new AcknowledgeReply(true, null));

        public List<string> Asked { get; } = [];

        public Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken)
        {
            Asked.Add(member.Name);
            return Answer(member, request);
        }
    }

    internal sealed class FakeWatchdog : IWatchdog
    {
        public TimeSpan? KillAt { get; private set; }

        public void Guard(TimeSpan? killAt) => KillAt = killAt;
    }
}
