using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class StatusMemoryTests
{
    private static readonly StatusRow Standby = new(true, false, 1, "s", new LogPosition(2, 100), null, null, false, false, 0, "");
    private static readonly StatusRow Primary = Standby with { InRecovery = false };

    private StatusMemory memory = new();
    private TimeSpan now;

    [Fact]
    public void A_primary_tells_the_end_of_its_log()
    {
        var status = Tell(Primary);
        Assert.Equal((EngineRole.Primary, true, 100L), (status.Role, status.Writable, status.PositionBytes));
        Assert.Equal(("s:2", "s:1"), (status.History, status.PreviousHistory));
        Assert.Equal(ReplicationLink.Unknown, status.Link);
        Assert.Equal("1-77", status.Instance);
        Assert.Null(status.FollowsAddress);
    }

    [Fact]
    public void A_primary_whose_transactions_are_read_only_is_not_writable() => Assert.False(Tell(Primary with { ReadOnly = true }).Writable);

    [Fact]
    public void A_standby_does_not_tell_how_far_it_reaches_before_it_has_read_its_own_log()
    {
        Assert.Null(Tell(Standby).PositionBytes);
        Assert.Equal(150, Tell(Standby with { Position = new(2, 150), HasReadItsLog = true }).PositionBytes);
        Assert.Equal(160, Tell(Standby with { Position = new(2, 160) }).PositionBytes);
        // Another run knows nothing again.
        Assert.Null(Tell(Standby with { StartedAt = 2, Position = new(2, 90) }).PositionBytes);
    }

    [Fact]
    public void What_was_received_counts_before_it_is_applied()
    {
        var status = Tell(Streaming(2, 130) with { Received = 130 });
        Assert.Equal((130L, "s:2"), (status.PositionBytes, status.History));
        Assert.Equal((ReplicationLink.Up, "10.0.0.1"), (status.Link, status.FollowsAddress));
    }

    [Fact]
    public void What_was_received_of_a_later_timeline_is_not_forgotten_when_the_link_breaks()
    {
        Assert.Equal((130L, "s:3"), Place(Tell(Streaming(3, 130) with { Received = 130 })));
        // The receiver has ended, and had got a little further.
        Assert.Equal((140L, "s:3"), Place(Tell(Standby with { Received = 140 })));
        Assert.Equal((150L, "s:3"), Place(Tell(Standby with { Position = new(3, 150), Received = 140 })));
    }

    [Fact]
    public void A_later_timeline_counts_only_when_the_receiver_has_got_beyond_what_there_was()
    {
        Assert.Equal((100L, "s:2"), Place(Tell(Streaming(3, 64))));
        Assert.Equal((100L, "s:3"), Place(Tell(Streaming(3, 100))));
    }

    [Fact]
    public void The_time_without_a_link_counts_from_when_it_was_last_seen_up()
    {
        var never = Tell(Standby);
        Assert.Equal((ReplicationLink.Down, (TimeSpan?)null), (never.Link, never.LinkDownFor));
        _ = Tell(Streaming(2, 100));
        now += TimeSpan.FromSeconds(7);
        Assert.Equal(TimeSpan.FromSeconds(7), Tell(Standby).LinkDownFor);
        now += TimeSpan.FromSeconds(1);
        Assert.Equal(TimeSpan.FromSeconds(8), Tell(Standby with { StartedAt = 2 }).LinkDownFor);
        Assert.Null(Tell(Streaming(2, 100)).LinkDownFor);
    }

    [Fact]
    public void A_link_over_which_nothing_has_come_is_not_up() =>
        Assert.Equal(ReplicationLink.Down, Tell(Standby with { Receiver = new Receiver("streaming", "10.0.0.1", false, null) }).Link);

    [Fact]
    public void A_standby_that_is_not_connected_names_whom_it_was_told_to_follow()
    {
        Assert.Equal("10.0.0.9", Tell(Standby, "10.0.0.9").FollowsAddress);
        Assert.Null(Tell(Standby).FollowsAddress);
    }

    private static StatusRow Streaming(uint timeline, long flushed) =>
        Standby with { Receiver = new Receiver("streaming", "10.0.0.1", true, new LogPosition(timeline, flushed)) };

    private static (long?, string?) Place(EngineStatus status) => (status.PositionBytes, status.History);

    private EngineStatus Tell(StatusRow row, string? leader = null)
    {
        memory = memory.Learn(row, now);
        return memory.Tell(row, 77, 1, leader, now);
    }
}
