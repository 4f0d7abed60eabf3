using FailoverOperator.Api.Agents;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What is true of a server. Promoting may become writable at any moment.</summary>
internal enum ServerState
{
    ReadOnly,
    Promoting,
    Writable,
}

/// <summary>The server, and how it is made to stop.</summary>
internal sealed partial class Agent
{
    private int _run;
    private bool _ending;
    private bool _killing;

    public ServerState Server { get; private set; }

    public long ServerTerm { get; private set; }

    /// <summary>Grows with every change of what the server is about to do.</summary>
    public int Run => _run;

    /// <summary>
    /// The agent's process stands still, its server's do not. The watchdog, another process, knows when to kill. (A pause of the whole
    /// machine is beyond any timer.)
    /// </summary>
    public void Freeze(TimeSpan until)
    {
        if (!Runs || IsFrozen) return;
        _frozenUntil = until;
        if ((Memory.Tenure?.KillAt ?? Memory.Lost?.KillAt) is not { } killAt) return;
        var (left, life) = (killAt > Now ? killAt - Now : TimeSpan.Zero, _life);
        _world.After((left / _clock.Rate) + Late() + Late(), () =>
        {
            if (life == _life && IsFrozen && Server != ServerState.ReadOnly) Ended(ReleaseReason.ProcessDown);
        });
    }

    public void CrashServer()
    {
        if (Runs && Server != ServerState.ReadOnly) Ended(ReleaseReason.ProcessDown);
    }

    private void Serve(long term)
    {
        if (Server != ServerState.ReadOnly)
        {
            // The right came back in time: the demotion that has begun is broken off.
            if (_ending && !_killing) (_ending, _run) = (false, _run + 1);
            if (Server == ServerState.Promoting && !_killing) Promote(term);
            return;
        }
        (Server, ServerTerm, _run) = (ServerState.Promoting, term, _run + 1);
        Promote(term);
    }

    private void Promote(long term)
    {
        var run = _run;
        _world.After(TimeSpan.FromMilliseconds(_world.Noise.Next(2) == 0 ? 1 : _world.Noise.Next(20, 600)), () =>
        {
            if (_run != run || Server != ServerState.Promoting) return;
            Server = ServerState.Writable;
            _world.Check.Writable(this, term);
        });
    }

    private void Demote(TimeSpan killAt)
    {
        if (Server == ServerState.ReadOnly)
        {
            Memory = Memory.Demoted(ReleaseReason.SelfFenced, null, null);
            Wake(TimeSpan.Zero);
            return;
        }
        Memory = Rules.DemotionBegun(Memory);
        // Often the server hangs, and has to be killed.
        BeginEnd(_world.Noise.Next(2) == 0 ? _world.Noise.Next(5, 1000) : 1_000_000, ReleaseReason.SelfFenced);
        if (Now < killAt || _killing) return;
        (_killing, var run) = (true, _run);
        _world.After(Late(), () => WhenAwake(() =>
        {
            if (_run == run) Ended(ReleaseReason.SelfFenced);
        }));
    }

    private void BeginEnd(int milliseconds, ReleaseReason reason)
    {
        if (_ending) return;
        _ending = true;
        if (Server == ServerState.ReadOnly) milliseconds = 0;
        var run = _run;
        _world.After(TimeSpan.FromMilliseconds(milliseconds), () =>
        {
            if (_run == run && _ending) Ended(reason);
        });
    }

    private void Ended(ReleaseReason reason)
    {
        if (!Runs) return;
        if (_world.IsNoting) _world.Note($"{Identity}: server is read-only, {reason}");
        _world.Interruptions++;
        StopServer();
        var run = _run;
        WhenAwake(() =>
        {
            // That an earlier run has ended says nothing of a later one.
            if (_run == run) Memory = Memory.Demoted(reason, null, null);
            Step();
        });
    }

    private void StopServer() => (Server, _ending, _killing, _run) = (ServerState.ReadOnly, false, false, _run + 1);
}
