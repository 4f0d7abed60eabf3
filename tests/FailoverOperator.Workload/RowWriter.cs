namespace FailoverOperator.Workload;

/// <summary>Whom to write to, over one connection at a time.</summary>
public interface IWriteTarget : IDisposable
{
    /// <summary>One try, over a new connection after a failed one. Failures are values.</summary>
    Task<WriteOutcome> WriteAsync(long number);

    /// <summary>The numbers that are there, over a connection of its own, as another client would see them.</summary>
    /// <exception cref="TargetException">They cannot be read now.</exception>
    Task<IReadOnlySet<long>> ReadBackAsync();
}

/// <summary>The server cannot be read from.</summary>
public sealed class TargetException(string message, Exception cause) : Exception(message, cause);

/// <summary>
/// A client that writes numbered rows, one at a time. A failed write is never sent again: each try has a number of its own, so
/// that what comes back tells exactly what was kept.
/// </summary>
public sealed class RowWriter(IWriteTarget target, TimeSpan interval, TimeProvider time, Action<object> report)
{
    private static readonly TimeSpan ReadBackDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReadBackPause = TimeSpan.FromMilliseconds(200);

    private readonly long startedAt = time.GetTimestamp();
    private readonly WriteLog log = new(MonotonicClock(time));
    private WriteOutcome? state;

    public async Task<WriteSummary> RunAsync(CancellationToken stop)
    {
        for (long number = 1; !stop.IsCancellationRequested; number++)
        {
            var sentAt = Elapsed;
            var outcome = await target.WriteAsync(number);
            log.Record(number, outcome, sentAt, Elapsed);
            ReportChange(number, outcome);
            if (sentAt + interval - Elapsed is var rest && rest > TimeSpan.Zero) await PauseAsync(rest, stop);
        }

        var stoppedAt = Elapsed;
        return log.Summarize(stoppedAt, await ReadBackAsync());
    }

    private TimeSpan Elapsed => time.GetElapsedTime(startedAt);

    /// <summary>CLOCK_MONOTONIC, which all processes of a machine share, containers or not.</summary>
    private static TimeSpan MonotonicClock(TimeProvider time) => time.GetElapsedTime(0);

    private async Task PauseAsync(TimeSpan pause, CancellationToken stop) =>
        await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Null: no answer before the deadline.</summary>
    private async Task<IReadOnlySet<long>?> ReadBackAsync()
    {
        var began = time.GetTimestamp();
        do
        {
            try
            {
                return await target.ReadBackAsync();
            }
            catch (TargetException failure)
            {
                report(new { readBack = failure.Message });
                await PauseAsync(ReadBackPause, CancellationToken.None);
            }
        }
        while (time.GetElapsedTime(began) < ReadBackDeadline);
        return null;
    }

    private void ReportChange(long number, WriteOutcome outcome)
    {
        if (outcome == state) return;
        state = outcome;
        report(new { number, atMilliseconds = (long)Elapsed.TotalMilliseconds, outcome = outcome.GetType().Name, detail = Detail(outcome) });
    }

    private static string Detail(WriteOutcome outcome) => outcome switch
    {
        WriteOutcome.Acknowledged by => by.Server.Term is { } term ? $"{by.Server.Instance} term {term}" : by.Server.Instance,
        WriteOutcome.Refused no => no.Why,
        WriteOutcome.Unknown silence => silence.Why,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "unknown outcome"),
    };
}
