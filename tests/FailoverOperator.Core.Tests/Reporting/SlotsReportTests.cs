using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Reporting;

public sealed class SlotsReportTests
{
    private const ConditionStatus True = ConditionStatus.True, False = ConditionStatus.False, Unknown = ConditionStatus.Unknown;

    [Theory]
    [InlineData("Available", new[] { True, True, True }, True, "slot 0: a; slot 1: b; slot 2: c")]
    [InlineData("Available", new[] { True, Unknown, True }, Unknown, "slot 1: b")]
    [InlineData("Available", new[] { False, Unknown, False }, False, "slot 0: a; slot 2: c")]
    [InlineData("Suppressed", new[] { False, True, Unknown }, True, "slot 1: b")]
    [InlineData("Progressing", new[] { True, True, False }, False, "slot 2: c")]   // blocked
    public void The_worst_is_told_and_where(string type, ConditionStatus[] statuses, ConditionStatus expected, string message)
    {
        var merged = Merge(type, [.. statuses.Select((status, n) => (status, "Because", $"{(char)('a' + n)}"))]);
        Assert.Equal((expected, message), (merged.Status, merged.Message));
    }

    [Fact]
    public void One_that_works_outweighs_those_at_rest() =>
        Assert.Equal((True, "FailoverRunning", "slot 1: runs"), Of(Merge("Progressing", [(False, Reasons.Steady, "rests"), (True, "FailoverRunning", "runs"), (False, Reasons.Steady, "rests")])));

    [Fact]
    public void What_is_the_same_for_all_is_told_once() =>
        Assert.Equal((True, "Valid", "it is valid"), Of(Merge("Accepted", [.. Enumerable.Repeat((True, "Valid", "it is valid"), 3)])));

    [Fact]
    public void A_message_names_five_and_counts_the_others() =>
        Assert.EndsWith("slot 4: 4; and 3 more slots", Merge("Available", [.. Enumerable.Range(0, 8).Select(n => (False, "Gone", $"{n}"))]).Message);

    [Fact]
    public void A_spare_is_as_far_behind_as_it_is_anywhere_and_a_holder_is_told_by_its_slot()
    {
        var report = SlotsReport.Of([.. new[] { "0", "1" }.Select(slot => (Slot(slot), Report("Available", (True, "Fine", slot)) with
        {
            Members =
            [
                new MemberStatus { Name = $"db-{slot}", Role = MemberRole.Active, Slot = slot },
                new MemberStatus { Name = "db-2", Role = MemberRole.Spare, LagBytes = slot == "0" ? 7 : 70, Health = slot == "0" ? MemberHealth.Suspect : MemberHealth.Healthy },
                new MemberStatus { Name = "db-3", Role = MemberRole.Spare, LagBytes = slot == "0" ? 7 : null },
            ],
            SparesReady = slot == "0" ? 2 : 1,
        }))]);
        Assert.Equal([("db-0", MemberRole.Active, "0"), ("db-1", MemberRole.Active, "1"), ("db-2", MemberRole.Spare, null), ("db-3", MemberRole.Spare, null)],
            report.Members.Select(m => (m.Name, m.Role, m.Slot)));
        Assert.Equal((70L, MemberHealth.Suspect, null), (report.Members[2].LagBytes, report.Members[2].Health, report.Members[3].LagBytes));
        Assert.Equal(1, report.SparesReady);
    }

    [Fact]
    public void Failovers_of_all_slots_are_counted_each_once()
    {
        var slots = new[] { "0", "1" }.Select(slot => Slot(slot) with
        {
            Statistics = new StatisticsObservation(new GroupStatistics { Failovers = 5, CountedTerm = 0 }, TimeSpan.FromSeconds(1000), TimeSpan.Zero) { CountedTerm = slot == "0" ? 1 : 2 },
            Failovers = [Failover(slot, 1), Failover(slot, 2)],
        }).ToList();
        var sum = Statistics.Of(slots);
        Assert.Equal((6, 0L, 500L), (sum.Failovers, sum.CountedTerm, sum.DowntimeMilliseconds));
        // Of two slots' time, rounded down.
        Assert.Equal(("99.975", 166L), (sum.Availability, sum.MeanTimeBetweenFailuresSeconds));
        Assert.Equal([2L, 2L], slots.Select(Statistics.CountedTerm));
    }

    private static FailoverRecord Failover(string slot, long term) => Running(FailoverPhase.Completed, candidate: "db-1", term: term) is var f ? f with
    {
        Spec = f.Spec with { Slot = slot },
        Status = f.Status with { DowntimeMilliseconds = 500 },
    } : f;

    private static (ConditionStatus Status, string Reason, string Message) Of(ConditionFact fact) => (fact.Status, fact.Reason, fact.Message);

    private static ConditionFact Merge(string type, params (ConditionStatus Status, string Reason, string Message)[] facts) =>
        SlotsReport.Of([.. facts.Select((fact, n) => (Slot($"{n}"), Report(type, fact)))]).Conditions.Single();

    private static GroupObservation Slot(string name) => Healthy() with { Slot = name, Failovers = [], Spec = Spec with { Mode = RedundancyMode.NPlusM, Active = 8 } };

    private static GroupReport Report(string type, (ConditionStatus Status, string Reason, string Message) fact) => new()
    {
        Conditions = [new ConditionFact(type, fact.Status, fact.Reason, fact.Message)],
        Slots = [new SlotFact("?", null, null, null)],
        Readiness = new FailoverReadiness { Ready = true, Reason = "Ready", Message = "ready" },
    };
}
