using FailoverOperator.Simulator.Engines;
using k8s.Models;

namespace FailoverOperator.Simulator.Clients;

/// <summary>
/// Clients that write one numbered record after the other through the Service, and note what they were told: acknowledged, failed, or nothing.
/// </summary>
public sealed class Writer
{
    public const string Machine = "client";

    /// <summary>The number of the operator's own writes.</summary>
    public const long Verifying = -1;

    private readonly SimulatedWorld _world;
    private readonly string _slot;
    private readonly TimeSpan _pause;
    private readonly TimeSpan _timeout;
    private IReadOnlyList<string> _addresses = [];
    private long _number;
    private long _pointed;
    private long _known;

    /// <param name="slot">Whose data they write.</param>
    /// <param name="pause">From one write to the next; a failed one is tried again sooner.</param>
    /// <param name="timeout">How long an answer is waited for.</param>
    public Writer(SimulatedWorld world, string slot, TimeSpan pause, TimeSpan timeout)
    {
        (_world, _slot, _pause, _timeout) = (world, slot, pause, timeout);
        world.Loop.After(pause, Next);
    }

    /// <summary>When the last write was acknowledged, as the clients know it.</summary>
    public TimeSpan LastAcknowledged { get; private set; }

    public long Acknowledged { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Writes that may or may not have been done.</summary>
    public long Unknown { get; private set; }

    /// <summary>The longest time without an acknowledged write since this was set to zero.</summary>
    public TimeSpan LongestGap { get; set; }

    /// <summary>The node's proxy has heard of the Service's endpoints.</summary>
    public void Point(V1EndpointSlice? slice)
    {
        IReadOnlyList<string> addresses = [.. (slice?.Endpoints ?? []).SelectMany(e => e.Addresses)];
        var number = ++_pointed;
        // The proxy hears of one after the other: none is put back by an older one that takes longer.
        _world.Loop.After(_world.Milliseconds(5, 60), () => (_known, _addresses) = number > _known ? (number, addresses) : (_known, _addresses));
    }

    /// <summary>One write from this machine to that address. Not told: nobody answered.</summary>
    public void Write(string machine, string address, long number, Action<WriteOutcome> tell)
    {
        if (_world.Addresses.Find(address) is not { } container) return;
        _world.Network.Send(machine, container.Machine, () =>
        {
            if (!container.Node.IsPowered) return;
            container.Write(_slot, number, Answer);
        });

        void Answer(WriteOutcome outcome) => _world.Network.Send(container.Machine, machine, () => tell(outcome));
    }

    private void Next()
    {
        var (isOver, number) = (false, ++_number);
        if (_addresses.Count > 0) Write(Machine, _addresses[(int)(number % _addresses.Count)], number, outcome => End(outcome));
        else _world.Loop.After(TimeSpan.FromMilliseconds(1), () => End(WriteOutcome.Refused));
        _world.Loop.After(_timeout, () => End(null));

        void End(WriteOutcome? outcome)
        {
            if (isOver) return;
            isOver = true;
            Note(outcome);
            _world.Loop.After(outcome == WriteOutcome.Acknowledged ? _pause : _pause / 2, Next);
        }
    }

    private void Note(WriteOutcome? outcome)
    {
        switch (outcome)
        {
            case WriteOutcome.Acknowledged:
                var gap = _world.Loop.Now - LastAcknowledged;
                if (gap > LongestGap) LongestGap = gap;
                LastAcknowledged = _world.Loop.Now;
                Acknowledged++;
                break;
            case WriteOutcome.ReadOnly or WriteOutcome.Refused:
                Failed++;
                break;
            default:
                Unknown++;
                break;
        }
    }
}
