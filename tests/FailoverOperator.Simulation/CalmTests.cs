using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Faults;

namespace FailoverOperator.Simulation;

/// <summary>L2: the failure of the operator or of the API server alone changes nothing for clients.</summary>
public sealed class CalmTests
{
    private const int Seeds = 6;

    [Theory]
    [InlineData(Fault.ApiOutage)]
    [InlineData(Fault.ApiHang)]
    [InlineData(Fault.OperatorCrash)]
    [InlineData(Fault.OperatorPause)]
    [InlineData(Fault.OperatorCutOff)]
    [InlineData(Fault.WatchesSilent)]
    [InlineData(Fault.HistoryCompacted)]
    [InlineData(Fault.WallClockStep)]
    public void A_fault_beside_the_members_interrupts_no_client(Fault fault)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var schedule = new Schedule(seed, [new Strike(fault, 3000, seed, seed, 25_000)]);
            var result = Simulator.Simulation.Run(schedule, options: new WorldOptions { Seed = seed, Spec = Variants.Spec(3) });
            Assert.Null(result.Violation);
            Assert.True(result.LongestGap < TimeSpan.FromSeconds(1),
                $"{fault}, seed {seed}: clients were without an acknowledged write for {result.LongestGap.TotalSeconds:0.00} s");
            Assert.Equal(0, result.Failovers);
        }
    }
}
