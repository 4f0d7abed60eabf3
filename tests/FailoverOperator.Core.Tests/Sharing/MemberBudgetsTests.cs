using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Sharing;

namespace FailoverOperator.Core.Tests.Sharing;

/// <summary>The budget that guards the members of a group in which nobody is promoted; here 2 must stay.</summary>
public sealed class MemberBudgetsTests
{
    private const string Right = "evictions are not bounded: the operator lacks the right";
    private const string Alone = "evictions are bounded by PodDisruptionBudget mine alone, which selects members, too; delete it, and the operator makes one";
    private const string Foreign = "evictions are not bounded by the operator: PodDisruptionBudget db-members is somebody else's";

    private static BudgetFacts Members(int? least, bool isOurs = true) => new("db-members", "7", isOurs, HoldsPrimary: false) { LeastMembers = least };

    private static BudgetFacts Primary { get; } = new("db-primary", "3", IsOurs: true, HoldsPrimary: true);

    private static BudgetObservation.Seen Seen(BudgetFacts? members, params string[] others) =>
        new(null, members is null ? others : ["db-members", .. others], EvictionsAreSeen: true) { Members = members };

    public static TheoryData<string, BudgetObservation?, string, string?> Budgets => new()
    {
        { "nobody has looked", null, "", null },
        { "forbidden", new BudgetObservation.Unobserved("the operator lacks the right"), "", Right },
        { "none yet", Seen(null), "keep db-members, 2 stay, of version ", null },
        { "as it should be", Seen(Members(2)), "", null },
        { "for another minActive", Seen(Members(1)), "keep db-members, 2 stay, of version 7", null },
        { "changed by hand", Seen(Members(null)), "keep db-members, 2 stay, of version 7", null },
        { "somebody else's of its name", Seen(Members(2, isOurs: false)), "", Foreign },
        { "somebody else's for the same pods", Seen(null, "mine"), "", Alone },
        { "both", Seen(Members(2), "mine"), "delete db-members", Alone },
        { "being deleted, which somebody's finalizer holds", Seen(Members(1) with { IsGoing = true }), "", null },
        { "of an earlier mode", Seen(Members(2)) with { Own = Primary }, "delete db-primary", null },
    };

    [Theory]
    [MemberData(nameof(Budgets))]
    public void There_is_one_unless_it_would_do_harm(string why, BudgetObservation? budgets, string steps, string? complaint)
    {
        var seen = GivenShared.Shared(GivenShared.ActiveActive with { MinActive = 2 }, GivenShared.Server("db-0"), GivenShared.Server("db-1"), GivenShared.Server("db-2"));
        var group = seen.Group with { Budgets = budgets };
        var verdict = SharedDecider.Decide(seen with { Group = group });
        Assert.True(steps == string.Join("; ", verdict.Steps.Select(Say).OfType<string>()), why);
        Assert.Equal(complaint, MemberBudgets.Complaint(group));
        var redundant = SharedReport.Of(group, new AcceptanceVerdict(true, true, "Valid", ""), verdict).Conditions.Single(c => c.Type == "Redundant").Message;
        Assert.Equal(complaint is not null, complaint is not null && redundant.EndsWith($"; {complaint}", StringComparison.Ordinal));
    }

    [Fact]
    public void In_a_mode_with_a_primary_it_goes() =>
        Assert.Equal(["delete db-members"], Core.Decisions.Budgets.Needed(Given.Healthy() with { Budgets = Seen(Members(2)) }).Select(Say));

    [Theory]
    [InlineData(true, false, "Begin")]
    [InlineData(false, false, "Advance")]
    [InlineData(false, true, "Wait")]
    public void It_holds_up_no_first_election(bool allAnswer, bool isGoing, string expected)
    {
        var group = Given.NewGroup(Given.Standby("db-0"), allAnswer ? Given.Standby("db-1") : Given.Standby("db-1").Silent(1), Given.Standby("db-2"));
        var decision = Decider.Decide(group with { Budgets = Seen(Members(2) with { IsGoing = isGoing }) }).Decision;
        Assert.Equal(expected, decision.GetType().Name);
        if (decision is Decision.Advance advance) Assert.Equal(["delete db-members"], advance.Steps.Select(Say));
    }

    [Fact]
    public void It_holds_up_no_failover() => Assert.IsType<Decision.Begin>(
        Decider.Decide(Given.Healthy().Change("db-0", m => m.Terminating()) with { Budgets = Seen(Members(2)) }).Decision);

    [Fact]
    public void One_that_somebodys_finalizer_holds_is_left_alone() =>
        Assert.Empty(Core.Decisions.Budgets.Needed(Given.Healthy() with { Budgets = Seen(Members(2) with { IsGoing = true }) }));

    private static string? Say(Step step) => step switch
    {
        Step.KeepBudget keep => $"keep {keep.Name}, {keep.LeastMembers} stay, of version {keep.ReadVersion}",
        Step.RemoveBudget remove => $"delete {remove.Name}",
        _ => null,
    };
}
