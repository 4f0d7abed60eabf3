using FailoverOperator.Workload;

namespace FailoverOperator.Tests.Workload;

public sealed class WriteLogTests
{
    private static readonly ServerIdentity A = new("a");
    private static readonly ServerIdentity B = new("b");

    private readonly WriteLog log = new(startedAt: At(100_000));

    [Fact]
    public void Downtime_is_the_longest_gap_between_two_acknowledged_writes()
    {
        Acknowledge((1, 10), (2, 20), (5, 1520), (6, 1530), (7, 1600));
        Record(3, new WriteOutcome.Unknown("silence"), 220);
        Record(4, new WriteOutcome.Refused("read-only"), 230);

        var summary = Summarize(stoppedAt: 1610, readBack: [1, 2, 5, 6, 7]);

        Assert.Equal(1500, summary.DowntimeMilliseconds);
        Assert.Equal(new WriteGap(2, 20, 1500), summary.Gaps[0]);
        Assert.Equal((7, 5, 1, 1), (summary.Attempted, summary.Acknowledged, summary.Refused, summary.Unknown));
        Assert.True(summary.ServedAtTheEnd);
    }

    [Fact]
    public void What_a_client_meets_before_it_was_ever_served_is_no_outage()
    {
        Record(1, new WriteOutcome.Refused("no connection in time"), 5);
        Acknowledge((2, 10), (4, 30));
        Record(3, new WriteOutcome.Refused("read-only"), 20);

        var summary = Summarize(stoppedAt: 40, readBack: [2, 4]);

        Assert.Equal((4, 2, 1, 0), (summary.Attempted, summary.Acknowledged, summary.Refused, summary.Unknown));
    }

    [Fact]
    public void An_outage_that_has_not_ended_is_told_by_the_last_acknowledged_write()
    {
        Acknowledge((1, 10), (2, 20));

        var summary = Summarize(stoppedAt: 9000, readBack: null);

        Assert.Equal(10, summary.DowntimeMilliseconds);
        Assert.Equal((20, 9000), (summary.LastAcknowledgedMilliseconds, summary.StoppedMilliseconds));
        Assert.False(summary.ServedAtTheEnd);
    }

    [Fact]
    public void Lost_are_the_acknowledged_writes_that_are_not_read_back()
    {
        Acknowledge((1, 10), (2, 20), (3, 30));
        Record(4, new WriteOutcome.Unknown("silence"), 40);

        var summary = Summarize(stoppedAt: 50, readBack: [1, 3]);

        Assert.Equal(1, summary.LostWrites);
        Assert.Equal([2], summary.LostNumbers);
    }

    [Fact]
    public void A_write_without_answer_that_was_kept_or_not_is_never_lost()
    {
        Record(1, new WriteOutcome.Unknown("silence"), 10);
        Record(2, new WriteOutcome.Refused("read-only"), 20);

        Assert.Equal(0, Summarize(stoppedAt: 30, readBack: [1]).LostWrites);
        Assert.Equal(0, Summarize(stoppedAt: 30, readBack: []).LostWrites);
    }

    [Fact]
    public void Without_reading_back_the_loss_is_unknown_not_zero()
    {
        Acknowledge((1, 10));

        Assert.Null(Summarize(stoppedAt: 20, readBack: null).LostWrites);
    }

    [Fact]
    public void A_writer_that_was_never_served_has_no_last_write()
    {
        Record(1, new WriteOutcome.Refused("nobody there"), 10);

        var summary = Summarize(stoppedAt: 5000, readBack: []);

        Assert.Null(summary.LastAcknowledgedMilliseconds);
        Assert.Empty(summary.Gaps);
        Assert.Empty(summary.Tenures);
        Assert.False(summary.ServedAtTheEnd);
    }

    [Fact]
    public void Writes_are_told_by_who_acknowledged_them_on_the_machines_clock()
    {
        Record(1, new WriteOutcome.Acknowledged(A), 10);
        Record(2, new WriteOutcome.Acknowledged(A), 20);
        Record(3, new WriteOutcome.Refused("read-only"), 30);
        Record(4, new WriteOutcome.Acknowledged(B), 40);
        Record(5, new WriteOutcome.Acknowledged(A), 50);

        var tenures = Summarize(stoppedAt: 60, readBack: null).Tenures;

        Assert.Equal([A, B, A], tenures.Select(tenure => tenure.Server));
        Assert.Equal([100_010, 100_040, 100_050], tenures.Select(tenure => tenure.FirstAcknowledgedMilliseconds));
        Assert.Equal([100_008, 100_018], tenures[0].SentMilliseconds);
    }

    private void Acknowledge(params (long Number, int Milliseconds)[] writes)
    {
        foreach (var (number, milliseconds) in writes) Record(number, new WriteOutcome.Acknowledged(A), milliseconds);
    }

    /// <summary>Each write takes two milliseconds.</summary>
    private void Record(long number, WriteOutcome outcome, int milliseconds) => log.Record(number, outcome, At(milliseconds - 2), At(milliseconds));

    private WriteSummary Summarize(int stoppedAt, long[]? readBack) => log.Summarize(At(stoppedAt), readBack?.ToHashSet());

    private static TimeSpan At(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
