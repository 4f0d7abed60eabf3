using FailoverOperator.Agent.Servers.PostgreSql;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class RejoinTests
{
    /// <summary>On timeline 3 since position 300; timeline 2 ended there, timeline 1 at 200.</summary>
    private static readonly LeaderAnswer.Primary Leader = new("system", new TimelineHistory(3, [new(1, 200), new(2, 300)]), 400, 3, "");

    private static readonly LocalData None = new(DataState.Absent, false, null, null, null, false, "", null);

    [Fact]
    public void Nobodys_data_are_copied_where_there_are_none_or_only_half_of_some()
    {
        Assert.IsType<Rejoin.Copy>(Rejoin.Decide(None, Leader));
        Assert.IsType<Rejoin.Copy>(Rejoin.Decide(None with { State = DataState.Unfinished }, Leader));
    }

    [Fact]
    public void What_is_not_of_the_leaders_origin_is_not_given_up()
    {
        Assert.IsType<Rejoin.Refuse>(Rejoin.Decide(None with { State = DataState.Foreign }, Leader));
        Assert.IsType<Rejoin.Refuse>(Rejoin.Decide(Running(3, 400) with { SystemId = "other" }, Leader));
        var crashed = Stopped("in production", 2, 999) with { SystemId = "other", Log = "has already been removed" };
        Assert.IsType<Rejoin.Refuse>(Rejoin.Decide(crashed, Leader));
    }

    [Theory]
    [InlineData(3, 400, "Stream")]
    [InlineData(3, 350, "Stream")]
    [InlineData(2, 300, "Stream")]
    [InlineData(2, 250, "Stream")]
    [InlineData(1, 200, "Stream")]
    [InlineData(2, 301, "Rewind")]
    [InlineData(1, 201, "Rewind")]
    [InlineData(4, 100, "Rewind")]
    [InlineData(3, 401, "Copy")] // pg_rewind needs two timelines.
    public void A_running_standby_streams_if_its_log_is_a_beginning_of_the_leaders(uint timeline, long bytes, string expected) =>
        Assert.Equal(expected, Rejoin.Decide(Running(timeline, bytes), Leader).GetType().Name);

    [Fact]
    public void A_running_standby_that_does_not_know_its_position_streams()
    {
        Assert.IsType<Rejoin.Stream>(Rejoin.Decide(Running(3, 400) with { Reached = null, SystemId = null }, Leader));
    }

    [Fact]
    public void A_log_that_the_leader_does_not_have_any_more_means_a_copy_while_the_link_is_down()
    {
        var local = Running(2, 100) with { Log = "FATAL:  requested WAL segment 000000020000000000000003 has already been removed" };
        Assert.IsType<Rejoin.Copy>(Rejoin.Decide(local, Leader));
        Assert.IsType<Rejoin.Stream>(Rejoin.Decide(local with { LinkIsUp = true }, Leader));
    }

    [Theory]
    [InlineData("in production", 2, 250, "Rewind")] // It may have written more than the checkpoint tells.
    [InlineData("shutting down", 2, 250, "Rewind")]
    [InlineData("in crash recovery", 2, 250, "Rewind")]
    [InlineData("shut down", 2, 299, "Stream")]
    [InlineData("shut down", 2, 300, "Rewind")] // The leader branched off before the record of this checkpoint.
    [InlineData("shut down", 1, 199, "Stream")]
    [InlineData("in archive recovery", 2, 250, "Stream")] // What it received beyond is seen when it runs.
    [InlineData("shut down in recovery", 3, 390, "Stream")]
    [InlineData("in archive recovery", 2, 350, "Rewind")]
    [InlineData("in production", 3, 390, "Stream")]
    [InlineData("in production", 3, 500, "Copy")]
    public void What_becomes_of_data_at_rest_depends_on_how_they_came_to_rest(string state, uint timeline, long checkpoint, string expected) =>
        Assert.Equal(expected, Rejoin.Decide(Stopped(state, timeline, checkpoint), Leader).GetType().Name);

    /// <summary>It runs, but lets nobody in: its data were rewound onto a leader that has been lost since.</summary>
    [Theory]
    [InlineData(3, 400, "Stream")]
    [InlineData(2, 300, "Stream")]
    [InlineData(2, 301, "Copy")]
    [InlineData(3, 401, "Stream")] // The leader has not put it on its disk yet.
    [InlineData(4, 10, "Copy")]
    [InlineData(0, 0, "Stream")]
    public void Data_that_can_never_become_consistent_are_copied_anew(uint timeline, long needed, string expected)
    {
        var control = new ControlData("system", "in archive recovery", new(2, 100), new(timeline, needed), new Dictionary<string, long>());
        var local = Running(2, 100) with { Reached = null, Control = control };
        Assert.Equal(expected, Rejoin.Decide(local, Leader).GetType().Name);
        Assert.IsType<Rejoin.Refuse>(Rejoin.Decide(local with { SystemId = "other" }, Leader));
    }

    [Fact]
    public void Rewinding_a_second_time_onto_the_same_timeline_would_change_nothing()
    {
        Assert.IsType<Rejoin.Copy>(Rejoin.Decide(Running(2, 301) with { RewoundOnto = 3 }, Leader));
        Assert.IsType<Rejoin.Stream>(Rejoin.Decide(Stopped("in production", 2, 250) with { RewoundOnto = 3 }, Leader));
        Assert.IsType<Rejoin.Rewind>(Rejoin.Decide(Running(2, 301) with { RewoundOnto = 2 }, Leader));
    }

    [Fact]
    public void A_server_that_cannot_start_on_its_data_gets_others()
    {
        var broken = Stopped("in archive recovery", 2, 100) with { Log = "PANIC:  could not locate a valid checkpoint record" };
        Assert.IsType<Rejoin.Copy>(Rejoin.Decide(broken, Leader));
        var diverged = Stopped("in archive recovery", 2, 100) with { Log = "FATAL:  requested timeline 4 is not a child of this server's history" };
        Assert.IsType<Rejoin.Rewind>(Rejoin.Decide(diverged, Leader));
        var misconfigured = Stopped("in archive recovery", 2, 100) with { Log = "FATAL:  configuration file \"x.conf\" contains errors" };
        Assert.IsType<Rejoin.Stream>(Rejoin.Decide(misconfigured, Leader));
    }

    private static LocalData Running(uint timeline, long bytes) =>
        new(DataState.Present, true, null, "system", new LogPosition(timeline, bytes), false, "", null);

    private static LocalData Stopped(string state, uint timeline, long checkpoint)
    {
        var control = new ControlData("system", state, new LogPosition(timeline, checkpoint), default, new Dictionary<string, long>());
        return new(DataState.Present, false, control, "system", null, false, "", null);
    }
}
