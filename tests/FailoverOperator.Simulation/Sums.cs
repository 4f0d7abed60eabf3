using System.Globalization;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Checking;

namespace FailoverOperator.Simulation;

/// <summary>What many seeds together have reached.</summary>
internal sealed class Sums
{
    /// <summary>The first seeds pay for the compiler.</summary>
    private const int WarmUp = 20;

    private readonly SortedDictionary<string, int> _sometimes = new(StringComparer.Ordinal);
    private readonly List<TimeSpan> _recoveries = [];
    private TimeSpan _simulated;
    private ulong _traces;
    private TimeSpan _processorAtFirst;
    private TimeSpan _simulatedAtFirst;
    private int _count;

    /// <summary>In the order of the seeds.</summary>
    public void Add(SimulationResult result)
    {
        foreach (var (what, times) in result.Sometimes) _sometimes[what] = _sometimes.GetValueOrDefault(what) + times;
        if (result.Recovery is { } recovery) _recoveries.Add(recovery);
        _simulated += result.SimulatedTime;
        if (++_count == WarmUp) (_processorAtFirst, _simulatedAtFirst) = (Environment.CpuUsage.TotalTime, _simulated);
        _traces = (_traces ^ ulong.Parse(result.TraceHash, NumberStyles.HexNumber, CultureInfo.InvariantCulture)) * 1099511628211;
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
        var processor = (Environment.CpuUsage.TotalTime - _processorAtFirst).TotalSeconds;
        var afterwards = (_simulated - _simulatedAtFirst).TotalHours;
        Console.WriteLine(FormattableString.Invariant(
            $"{hours:0.00} group-hours in {seconds:0.0} s: {60 * hours / seconds:0.0} a minute, {60 * afterwards / processor:0.0} for each minute of a processor"));
        Console.WriteLine(FormattableString.Invariant($"traces {_traces:x16}"));
    }
}
