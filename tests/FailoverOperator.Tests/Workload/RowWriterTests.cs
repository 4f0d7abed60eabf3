using FailoverOperator.Workload;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Workload;

public sealed class RowWriterTests
{
    private static readonly ServerIdentity A = new("a", 1);

    private readonly FakeTimeProvider time = new() { AutoAdvanceAmount = TimeSpan.Zero };
    private readonly List<string> reports = [];
    private readonly CancellationTokenSource stop = new();

    [Fact]
    public async Task A_failed_write_is_not_sent_again_but_the_next_one_follows_at_once()
    {
        var target = new Target(this, new WriteOutcome.Acknowledged(A), new WriteOutcome.Unknown("silence"), new WriteOutcome.Acknowledged(A));

        var summary = await RunAsync(target);

        Assert.Equal([1, 2, 3], target.Written);
        Assert.Equal((3, 2, 0, 1), (summary.Attempted, summary.Acknowledged, summary.Refused, summary.Unknown));
    }

    [Fact]
    public async Task What_changes_is_reported_and_nothing_else()
    {
        var target = new Target(this, new WriteOutcome.Acknowledged(A), new WriteOutcome.Acknowledged(A), new WriteOutcome.Refused("read-only"), new WriteOutcome.Refused("read-only"));

        await RunAsync(target);

        Assert.Equal(2, reports.Count);
        Assert.Contains("outcome = Acknowledged, detail = a term 1", reports[0]);
        Assert.Contains("outcome = Refused, detail = read-only", reports[1]);
    }

    [Fact]
    public async Task Reading_back_is_tried_until_it_works()
    {
        var target = new Target(this, new WriteOutcome.Acknowledged(A)) { FailedReads = 2 };

        Assert.Equal(0, (await RunAsync(target)).LostWrites);
    }

    [Fact]
    public async Task Nobody_to_read_back_from_is_an_unknown_loss()
    {
        var target = new Target(this, new WriteOutcome.Acknowledged(A)) { FailedReads = int.MaxValue };

        Assert.Null((await RunAsync(target)).LostWrites);
    }

    private async Task<WriteSummary> RunAsync(Target target)
    {
        var run = new RowWriter(target, TimeSpan.FromMilliseconds(10), time, report => reports.Add(report.ToString()!)).RunAsync(stop.Token);
        while (!run.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Yield();
        }
        return await run;
    }

    /// <summary>Ends the writer after the last outcome.</summary>
    private sealed class Target(RowWriterTests test, params WriteOutcome[] outcomes) : IWriteTarget
    {
        public List<long> Written { get; } = [];

        public int FailedReads { get; set; }

        public Task<WriteOutcome> WriteAsync(long number)
        {
            Written.Add(number);
            if (Written.Count == outcomes.Length) test.stop.Cancel();
            return Task.FromResult(outcomes[Written.Count - 1]);
        }

        public Task<IReadOnlySet<long>> ReadBackAsync() => FailedReads-- > 0
            ? Task.FromException<IReadOnlySet<long>>(new TargetException("nobody there", new IOException()))
            : Task.FromResult<IReadOnlySet<long>>(Written.ToHashSet());

        public void Dispose()
        {
        }
    }
}
