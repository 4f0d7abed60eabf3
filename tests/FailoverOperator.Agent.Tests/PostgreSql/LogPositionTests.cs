using CsCheck;
using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class LogPositionTests
{
    [Fact]
    public void A_position_is_read_as_it_is_written() =>
        Gen.Long[0, long.MaxValue].Sample(bytes => Assert.Equal(bytes, LogPosition.Parse(new LogPosition(1, bytes).ToString().Split(' ')[0])));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0/X")]
    [InlineData("0/1/2")]
    [InlineData("100000000/0")]
    public void What_is_no_position_is_none(string text) => Assert.Null(LogPosition.Parse(text));

    [Fact]
    public void A_history_file_is_read()
    {
        var history = TimelineHistory.Parse(4, "1\t0/3000148\tno recovery target\n\n# a comment\n2\t0/5000000\tbefore 2026-01-01\n3\t1/0\tnone\n");
        Assert.Equal([new(1, 0x3000148), new(2, 0x5000000), new(3, 0x100000000)], history!.Ancestors);
        Assert.Equal(3u, history.Parent);
        Assert.Null(TimelineHistory.Parse(1, "")!.Parent);
        Assert.Null(TimelineHistory.Parse(2, "nonsense"));
        Assert.Null(TimelineHistory.Parse(2, "1\tnowhere\tx"));
    }

    [Theory]
    [InlineData(1, "1:2", 0, "2")]
    [InlineData(1, "1:2", 2, "2 3 4")]
    [InlineData(3, "1:2", 0, "")]
    [InlineData(3, "1:2", 1, "")]
    [InlineData(1, "1:1", 0, "")]
    [InlineData(1, "1:nonsense", 0, null)]
    [InlineData(1, "", 0, null)]
    [InlineData(1, "1:2", -1, null)]
    [InlineData(1, "1:4294967295", 0, null)]
    [InlineData(1, "1:5000", 0, null)]
    public void Timelines_that_may_exist_are_left_out(uint known, string history, int unseen, string? expected) =>
        Assert.Equal(expected, Timelines.Reserved(known, new HistoryFloor(history, unseen)) is { } all ? string.Join(' ', all) : null);

    [Fact]
    public void All_that_may_exist_are_left_out()
    {
        Assert.Equal([2u, 3u, 4u], Timelines.Reserved(1, new HistoryFloor("1:2", 0, new HistoryFloor("1:3", 1)))!);
        Assert.Null(Timelines.Reserved(1, new HistoryFloor("1:2", 0, new HistoryFloor("nonsense", 1))));
    }

    [Fact]
    public void Control_data_are_read()
    {
        var control = ControlData.Parse("""
            Database system identifier:           7711764728559767069
            Database cluster state:               in archive recovery
            Latest checkpoint location:           0/17414F8
            Latest checkpoint's TimeLineID:       2
            Minimum recovery ending location:     0/1800000
            Min recovery ending loc's timeline:   2
            max_connections setting:              100
            max_prepared_xacts setting:           0
            """);
        Assert.Equal(("7711764728559767069", true, false), (control!.SystemId, control.WasStandby, control.EndedInOrder));
        Assert.Equal(new LogPosition(2, 0x1800000), control.Known);
        Assert.Equal(100, control.Floors["max_connections"]);
        Assert.Equal(0, control.Floors["max_prepared_transactions"]);
        Assert.Null(ControlData.Parse("pg_controldata: error"));
    }
}
