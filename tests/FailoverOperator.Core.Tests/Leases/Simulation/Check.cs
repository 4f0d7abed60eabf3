using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>The invariants, checked at the event that could break them, against what is true.</summary>
internal sealed class Check(LeaseWorld world)
{
    private readonly HashSet<(string, long)> _released = [];
    private long _highest;

    /// <summary>The first thing that went wrong. Null: nothing did.</summary>
    public string? Violation { get; private set; }

    /// <summary>I1: at most one. I2: never in a lower term than before. I3: not after its end was proven.</summary>
    public void Writable(Agent agent, long term)
    {
        if (world.IsNoting) world.Note($"{agent.Identity}: server is writable, term {term}");
        if (world.Agents.FirstOrDefault(a => a != agent && a.Server == ServerState.Writable) is { } other)
            Broken($"I1: {other.Identity} (term {other.ServerTerm}) and {agent.Identity} (term {term}) are writable");
        if (term < _highest) Broken($"I2: {agent.Identity} is writable in term {term} after {_highest}");
        if (_released.Contains((agent.Identity, term))) Broken($"I3: {agent.Identity} is writable in term {term}, which it released");
        _highest = Math.Max(_highest, term);
    }

    /// <summary>I3: a release is a proof.</summary>
    public void Released(ReleaseNote note)
    {
        if (!_released.Add((note.Holder, note.Term))) return;
        if (world.Agents.Any(a => a.Identity == note.Holder && a.Server == ServerState.Writable && a.ServerTerm <= note.Term))
            Broken($"I3: {note.Holder} released term {note.Term} and is writable");
    }

    /// <summary>I2: nobody obeys a lower term than before.</summary>
    public void Obeys(Agent agent, long before, long term)
    {
        if (term < before) Broken($"I2: {agent.Identity} obeys term {term} after {before}");
    }

    /// <summary>Whoever is neither holder nor on the way out is read-only.</summary>
    public void IsReadOnly(Agent agent)
    {
        if (agent.Server == ServerState.ReadOnly) return;
        Broken($"{(agent.Order is AgentOrder.Release ? "I3" : "I1")}: {agent.Identity} is {agent.Server}, and its order is {agent.Order}");
    }

    /// <summary>Who is told that somebody else holds the lease, or nobody, is read-only soon.</summary>
    public void Told(Agent agent, LeaseRecord? lease)
    {
        if (agent.Server == ServerState.ReadOnly || lease?.Term < agent.ServerTerm) return;
        if (lease?.IsHeldBy(agent.Identity) == true && lease.Term == agent.ServerTerm) return;
        var run = agent.Run;
        var bound = LeaseWorld.Timings.Max(t => LeaseTimings.Of(t).DemoteBound) + LeaseTimings.TimerGranularity;
        world.After(bound * (1 + LeaseTimings.RateError), () =>
        {
            if (agent.Server != ServerState.ReadOnly && agent.Run == run && !agent.IsFrozen)
                Broken($"I1: {agent.Identity} was told {bound.TotalSeconds} s ago that it does not hold the lease, and is {agent.Server}");
        });
    }

    public void Broken(string what)
    {
        Violation ??= FormattableString.Invariant($"{what}, at {world.Now.TotalSeconds:0.0000} s");
        world.Note(Violation);
    }
}
