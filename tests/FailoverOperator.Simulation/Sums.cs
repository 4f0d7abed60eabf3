using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Checking;

namespace FailoverOperator.Simulation;

/// <summary>What many seeds together have reached.</summary>
internal sealed class Sums
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _sometimes = new(StringComparer.Ordinal);
    private readonly List<TimeSpan> _recoveries = [];
    private TimeSpan _simulated;

    public void Add(SimulationResult result)
    {
        lock (_gate)
        {
            foreach (var (what, times) in result.Sometimes) _sometimes[what] = _sometimes.GetValueOrDefault(what) + times;
            if (result.Recovery is { } recovery) _recoveries.Add(recovery);
            _simulated += result.SimulatedTime;
        }
    }

    public void Report(TimeSpan elapsed)
    {
        foreach (var (what, times) in _sometimes) Console.WriteLine($"{times,9} {what}");
        Console.WriteLine($"never: {string.Join(", ", Coverage.Wanted.Where(w => !_sometimes.ContainsKey(w)))}");
        _recoveries.Sort();
        if (_recoveries.Count > 0)
            Console.WriteLine(FormattableString.Invariant(
                $"recovery: median {_recoveries[_recoveries.Count / 2].TotalSeconds:0.0} s, longest {_recoveries[^1].TotalSeconds:0.0} s"));
        var (hours, seconds) = (_simulated.TotalHours, elapsed.TotalSeconds);
        Console.WriteLine(FormattableString.Invariant($"{hours:0.00} group-hours in {seconds:0.0} s: {60 * hours / seconds:0.0} a minute"));
    }
}
