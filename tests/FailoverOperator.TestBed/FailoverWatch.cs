using System.Diagnostics;
using FailoverOperator.Api.Failovers;

namespace FailoverOperator.TestBed;

/// <summary>Follows the phases of failovers as they are written.</summary>
public sealed class FailoverWatch : IAsyncDisposable
{
    private readonly Process process;

    private FailoverWatch(Process process) => this.process = process;

    public static async Task<FailoverWatch> StartAsync(TestNamespace scope)
    {
        var process = scope.Kubectl.Start("get", "failovers", "--watch", "-o", "jsonpath={.metadata.name} {.spec.term} {.status.phase}{\"\\n\"}");
        var watch = new FailoverWatch(process);
        // The first line is of a failover that was there before: the watch has begun.
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await process.StandardOutput.ReadLineAsync(cancellation.Token);
        return watch;
    }

    /// <summary>Ends when a failover of a later term is at the phase or beyond. Returns its name.</summary>
    public async Task<string> WaitAsync(long afterTerm, FailoverPhase phase, TimeSpan deadline)
    {
        using var cancellation = new CancellationTokenSource(deadline);
        while (await process.StandardOutput.ReadLineAsync(cancellation.Token) is { } line)
        {
            if (line.Split(' ') is not [var name, var term, var written] || long.Parse(term) <= afterTerm) continue;
            var reached = written.Length == 0 ? FailoverPhase.Pending : Enum.Parse<FailoverPhase>(written);
            if (reached >= phase) return name;
        }
        throw new InvalidOperationException("the watch ended");
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
