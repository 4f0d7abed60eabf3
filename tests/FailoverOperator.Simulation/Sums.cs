using System.Globalization;
using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Checking;

namespace FailoverOperator.Simulation;

/// <summary>What many seeds together have reached.</summary>
internal sealed class Sums
{
    /// <summary>What ends before that, or in the first half of a longer run, pays for the compiler.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(5);

    private readonly SortedDictionary<string, int> _sometimes = new(StringComparer.Ordinal);
    private readonly List<TimeSpan> _recoveries = [];
    private TimeSpan _simulated;
    private ulong _traces;
    private readonly List<(TimeSpan Processor, TimeSpan Simulated)> _notes = [];

    public int Count { get; private set; }

    /// <summary>In whatever order.</summary>
    public void Ended(SimulationResult result)
    {
        _simulated += result.SimulatedTime;
        var processor = Environment.CpuUsage.TotalTime;
        if (processor >= (_notes.Count == 0 ? WarmUp : _notes[^1].Processor + NoteEvery)) _notes.Add((processor, _simulated));
    }

    /// <summary>In the order of the seeds.</summary>
    public void Add(SimulationResult result)
    {
        Count++;
        foreach (var (what, times) in result.Sometimes) _sometimes[what] = _sometimes.GetValueOrDefault(what) + times;
        if (result.Recovery is { } recovery) _recoveries.Add(recovery);
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
        Console.WriteLine(FormattableString.Invariant($"traces {_traces:x16}"));
        var (hours, seconds) = (_simulated.TotalHours, elapsed.TotalSeconds);
        Console.WriteLine(FormattableString.Invariant($"{hours:0.00} group-hours in {seconds:0.0} s: {60 * hours / seconds:0.0} a minute"));
        if (_notes.Count == 0) return;
        var (processor, simulated) = _notes.Find(n => n.Processor >= Environment.CpuUsage.TotalTime / 2) is { Processor.Ticks: > 0 } half ? half : _notes[0];
        var rate = (_simulated - simulated) / (Environment.CpuUsage.TotalTime - processor) / 60;
        Console.WriteLine(FormattableString.Invariant($"{rate:0.0} group-hours for each minute of a processor, once everything was compiled"));
    }
}
