using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Reporting;

/// <summary>Column ACTIVE of kubectl get rg.</summary>
public sealed class ActiveColumnTests
{
    [Theory]
    [InlineData("db-0", "db-0")]
    [InlineData("-", null)]
    [InlineData("", null)]
    [InlineData("db-0 db-3 db-1", "db-0,db-3,db-1")]
    [InlineData("db-0 - db-1", "db-0,<none>,db-1")]
    [InlineData("db-0 db-1 db-2 db-3 db-4", "db-0,db-1,db-2,db-3,db-4")]
    [InlineData("db-0 db-1 db-2 db-3 db-4 db-5 db-6", "db-0,db-1,db-2,db-3,db-4 + 2 more...")]
    public void The_holders_of_all_slots(string holders, string? column)
    {
        var slots = holders.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((holder, n) => new SlotStatus { Name = $"{n}", Holder = holder == "-" ? null : holder }).ToList();
        Assert.Equal(column, ActiveColumn.Of(slots, []));
    }

    [Fact]
    public void Where_there_are_no_slots_all_that_take_traffic()
    {
        MemberStatus[] members = [new() { Name = "web-0", Role = MemberRole.Active }, new() { Name = "web-1", Role = MemberRole.Standby }, new() { Name = "web-2", Role = MemberRole.Active }];
        Assert.Equal("web-0,web-2", ActiveColumn.Of([], members));
    }
}
