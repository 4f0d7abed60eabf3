using System.Diagnostics;
using System.Globalization;

namespace FailoverOperator.Benchmarks;

/// <summary>The operator as it ships, a process of its own, and what the kernel says that it costs.</summary>
internal sealed class OperatorUnderLoad : IAsyncDisposable
{
    private const double TicksPerSecond = 100;

    private readonly Process _process;
    private readonly StreamWriter _log;

    public OperatorUnderLoad(string kubeconfig, int port)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "FailoverOperator.dll")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[]
        {
            ("KUBECONFIG", kubeconfig), ("FAILOVER_HTTP_PORT", port.ToString(CultureInfo.InvariantCulture)), ("FAILOVER_LOG_FORMAT", "text"),
            // As in its image.
            ("DOTNET_GCgen0size", "0x1000000"),
            ("POD_NAME", "operator-0"), ("POD_NAMESPACE", Fixture.Namespace),
        }) start.Environment[name] = value;
        LogFile = Path.Combine(Path.GetTempPath(), $"bench-operator-{port}.log");
        _log = new StreamWriter(LogFile);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string LogFile { get; }

    public TimeSpan CpuTime
    {
        get
        {
            // After the name, which may hold blanks: user and system time are the 12th and 13th.
            var fields = File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ")[1].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);
        }
    }

    public double MemoryMebibytes => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024.0;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _log.DisposeAsync();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_log) _log.WriteLine(line);
    }
}
