using CsCheck;
using FailoverOperator.Core.Tests.Leases.Simulation;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class LeaseWorldTests
{
    /// <summary>Few for every day. <c>FAILOVER_SCHEDULES=1000000</c> searches for a night.</summary>
    private static readonly int Schedules = int.Parse(Environment.GetEnvironmentVariable("FAILOVER_SCHEDULES") ?? "2000", System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void Whatever_happens_one_member_writes_at_most_and_in_the_end_one_does() =>
        Schedule.Any().Sample(Holds, iter: Schedules);

    private static void Holds(Schedule schedule)
    {
        if (new LeaseWorld(schedule, new HolderRules(), new ElectorRules()).Run() is null) return;
        var again = new LeaseWorld(schedule, new HolderRules(), new ElectorRules(), notes: true);
        Assert.Fail($"{again.Run()}{Environment.NewLine}{schedule}{Environment.NewLine}{again.Journal}");
    }
}
