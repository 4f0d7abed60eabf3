using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>How a call to the API server ended; null instead of it: no answer in time.</summary>
/// <param name="Done">False: a conflict, or a create of what exists.</param>
internal sealed record Answer(bool Done, LeaseRecord? Lease);

/// <summary>Delays, losses, duplicates. Nothing that was sent is sure to arrive, or not to arrive late.</summary>
internal sealed class Network(LeaseWorld world, bool calm)
{
    private readonly Dictionary<int, TimeSpan> _apiCutUntil = [];
    private readonly Dictionary<int, TimeSpan> _answersLostUntil = [];
    private readonly Dictionary<int, TimeSpan> _isolatedUntil = [];
    private readonly Dictionary<int, TimeSpan> _staleUntil = [];
    private readonly Dictionary<int, TimeSpan> _slowUntil = [];
    private readonly Dictionary<(int, int), TimeSpan> _peerCutUntil = [];
    private TimeSpan _outageUntil;

    public void CutApi(int node, TimeSpan until) => _apiCutUntil[node] = until;

    public void LoseAnswers(int node, TimeSpan until) => _answersLostUntil[node] = until;

    public void Isolate(int node, TimeSpan until) => _isolatedUntil[node] = until;

    public void MakeStale(int node, TimeSpan until) => _staleUntil[node] = until;

    public void MakeSlow(int node, TimeSpan until) => _slowUntil[node] = until;

    public void CutPeer(int from, int to, TimeSpan until) => _peerCutUntil[(from, to)] = until;

    public void StopApi(TimeSpan until) => _outageUntil = until;

    public void Heal()
    {
        calm = true;
        _outageUntil = TimeSpan.Zero;
        foreach (var cuts in new[] { _apiCutUntil, _answersLostUntil, _isolatedUntil, _staleUntil, _slowUntil }) cuts.Clear();
        _peerCutUntil.Clear();
    }

    public bool ReachesApi(int node) => world.Now >= ApiCutUntil(node);

    public bool IsStale(int node) => IsOn(_staleUntil, node);

    /// <summary>One request, carried out once or twice or never, answered or not.</summary>
    public void Call(int node, TimeSpan timeout, Func<Answer> carryOut, Action<Answer?> answered)
    {
        var open = true;
        void Close(Answer? answer)
        {
            if (!open) return;
            open = false;
            answered(answer);
        }

        world.After(timeout, () => Close(null));
        if (Arrival(node) is not { } arrival) return;
        // A proxy may send the request a second time.
        if (!calm && world.Noise.Next(50) == 0) world.After(arrival + Delay(), () => carryOut());
        world.After(arrival, () =>
        {
            var answer = carryOut();
            if (!ReachesApi(node) || IsOn(_answersLostUntil, node) || Lost()) return;
            world.After(Delay() + Slowness(node), () => Close(answer));
        });
    }

    /// <summary>A question from node to node, and the answer.</summary>
    public void Ask<T>(int from, int to, Func<T> handle, Action<T> answered)
    {
        if (!Reaches(from, to)) return;
        world.After(Delay(), () =>
        {
            var answer = handle();
            if (Reaches(to, from)) world.After(Delay(), () => answered(answer));
        });
    }

    /// <summary>News of a change; may be lost, late, or be overtaken.</summary>
    public void Notify(int node, Action handle)
    {
        if (!ReachesApi(node) || (!calm && world.Noise.Next(10) == 0)) return;
        var lag = IsStale(node) ? TimeSpan.FromMilliseconds(world.Noise.Next(4000)) : TimeSpan.Zero;
        world.After(Delay() + lag, handle);
    }

    /// <summary>When a request that is sent now arrives. Null: never.</summary>
    private TimeSpan? Arrival(int node)
    {
        if (ReachesApi(node)) return Lost() ? null : Delay() + Slowness(node);
        return world.Noise.Next(4) == 0 ? ApiCutUntil(node) - world.Now + Delay() : null;
    }

    private TimeSpan ApiCutUntil(int node)
    {
        var until = _outageUntil;
        if (_apiCutUntil.TryGetValue(node, out var cut) && cut > until) until = cut;
        if (_isolatedUntil.TryGetValue(node, out var isolated) && isolated > until) until = isolated;
        return until;
    }

    private bool Reaches(int from, int to)
    {
        var isCut = _peerCutUntil.TryGetValue((from, to), out var until) && world.Now < until;
        return !isCut && !IsOn(_isolatedUntil, from) && !IsOn(_isolatedUntil, to) && !Lost();
    }

    private bool IsOn(Dictionary<int, TimeSpan> until, int node) => until.TryGetValue(node, out var end) && world.Now < end;

    private bool Lost() => !calm && world.Noise.Next(50) == 0;

    private TimeSpan Slowness(int node) =>
        IsOn(_slowUntil, node) && world.Noise.Next(2) == 0 ? TimeSpan.FromMilliseconds(world.Noise.Next(640)) : TimeSpan.Zero;

    private TimeSpan Delay() => TimeSpan.FromMilliseconds(calm ? 1 + world.Noise.Next(20) : world.Noise.Next(100) switch
    {
        < 50 => 1,
        < 90 => 1 + world.Noise.Next(30),
        < 98 => 30 + world.Noise.Next(400),
        _ => 400 + world.Noise.Next(6000),
    });
}
