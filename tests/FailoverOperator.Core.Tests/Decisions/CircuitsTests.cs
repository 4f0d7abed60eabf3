using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Who is asked whatever a circuit breaker says, and what an open one means.</summary>
public sealed class CircuitsTests
{
    public static TheoryData<string, GroupObservation, string> Groups => new()
    {
        { "all is well", Healthy(), "db-0" },
        { "the primary is silent", Healthy().Change("db-0", m => m.Silent(1)), "db-0 db-1 db-2" },
        { "the primary refuses", Healthy().Change("db-0", m => m.Refused(2)), "db-0 db-1 db-2" },
        { "nobody was ever chosen", NewGroup(Standby("db-0"), Standby("db-1")), "db-0 db-1" },
        { "a failover runs", Healthy().With(Running(FailoverPhase.Fencing)), "db-0 db-1 db-2" },
        { "a person waits", Healthy().With(Running(FailoverPhase.Pending) with { IsOwn = false, Name = "mine", Spec = new FailoverSpec { Type = FailoverType.Failover, Target = "db-1" } }), "db-0 db-1 db-2" },
        { "another one writes, too", Healthy().Change("db-1", m => Primary("db-1")), "db-0 db-1 db-2" },
    };

    [Theory]
    [MemberData(nameof(Groups))]
    public void Somebody_is_asked_whatever_the_circuit_says(string why, GroupObservation group, string expected)
    {
        var asked = Circuits.AlwaysAsked(group, Decider.Decide(group)).ToList();
        Assert.True(expected == string.Join(' ', group.Members.Where(m => asked.Contains(m.Uid)).Select(m => m.Name)), why);
    }

    [Theory]
    [InlineData("db-0", 5, false)]
    [InlineData("db-0", 0, true)]
    [InlineData("db-2", 5, true)]
    public void A_standby_is_not_told_to_follow_a_primary_while_that_circuit_is_open(string primary, double triedAgainIn, bool isTold)
    {
        var group = Healthy().Change("db-1", m => Standby("db-1", follows: "db-2") with { Circuits = [Open(GuardedOperation.Follow, triedAgainIn) with { Primary = Uid(primary) }] });
        Assert.Equal(isTold, Repairs.Needed(group, group.Members[0], 1).OfType<Step.Follow>().Any());
        Assert.Equal(isTold ? typeof(Decision.Advance) : typeof(Decision.Steady), Decider.Decide(group).Decision.GetType());
    }

    [Fact]
    public void What_is_not_asked_is_unknown_however_long_it_was_silent()
    {
        var group = Healthy().Change("db-1", m => m.Silent(600) with
        {
            Probe = m.Silent(600).Probe with { Reply = new EngineReply.Silent("db-1 is not asked, circuit open until 2026-01-01T00:00:00Z: no answer") { WasAsked = false } },
            Circuits = [Open(GuardedOperation.Status, 5)],
        });
        var told = MemberReport.Of(group, Uid("db-0"), null).First(m => m.Name == "db-1");
        Assert.Equal((MemberHealth.Unknown, "db-1 is not asked, circuit open until 2026-01-01T00:00:00Z: no answer"), (told.Health, told.Message));
        Assert.Equal(new Dictionary<string, int> { ["db-1"] = 1 }, MemberReport.OpenCircuits(group));
    }

    [Fact]
    public void A_member_says_which_order_is_put_off()
    {
        var group = Healthy().Change("db-1", m => m with { Circuits = [Open(GuardedOperation.Follow, 5)] });
        var told = MemberReport.Of(group, Uid("db-0"), null).First(m => m.Name == "db-1");
        Assert.Equal((MemberHealth.Healthy, "Follow kept failing, circuit open until 2026-01-01T00:00:00Z: exit code 1"), (told.Health, told.Message));
    }

    private static CircuitObservation Open(GuardedOperation operation, double triedAgainIn) => new(operation, Seconds(triedAgainIn), "2026-01-01T00:00:00Z", "exit code 1");
}
