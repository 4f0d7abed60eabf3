using System.Reflection;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Views;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.Views;

public sealed class AdviceTests
{
    public static TheoryData<string> AllReasons =>
        [.. typeof(Reasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    [Theory]
    [MemberData(nameof(AllReasons))]
    public void Each_reason_comes_with_advice_or_says_itself_what_to_do(string reason) =>
        Assert.True(Advice.For(reason, "db") is not null ^ Advice.SayItThemselves.Contains(reason),
            $"{reason}: write an advice, or say that its messages need none");

    [Theory]
    [InlineData(ConditionTypes.Available, ConditionStatus.True, Reasons.PrimaryIsolated, true)]
    [InlineData(ConditionTypes.Available, ConditionStatus.Unknown, Reasons.FailureSuspected, false)]
    [InlineData(ConditionTypes.TargetsMet, ConditionStatus.Unknown, Reasons.NoFailoverYet, true)]
    [InlineData(ConditionTypes.TargetsMet, ConditionStatus.False, Reasons.RtoExceeded, false)]
    [InlineData(ConditionTypes.Progressing, ConditionStatus.False, Reasons.Steady, true)]
    [InlineData(ConditionTypes.Progressing, ConditionStatus.False, Reasons.FenceUnproven, false)]
    [InlineData(ConditionTypes.Progressing, ConditionStatus.True, Reasons.Repairing, false)]
    [InlineData(ConditionTypes.Suppressed, ConditionStatus.False, Reasons.NotSuppressed, true)]
    [InlineData(ConditionTypes.Suppressed, ConditionStatus.True, Reasons.Suspended, false)]
    [InlineData("FromTheFuture", ConditionStatus.False, "Whatever", true)]
    public void It_is_known_how_each_condition_is_wished(string type, ConditionStatus status, string reason, bool expected) =>
        Assert.Equal(expected, Concerns.IsAsWished(new Condition { Type = type, Status = status, Reason = reason }));

    [Fact]
    public void A_status_of_an_older_spec_is_a_concern()
    {
        var conditions = ConditionTypes.All.Select(type => new Condition
        {
            Type = type,
            Status = type is ConditionTypes.Progressing or ConditionTypes.Suppressed ? ConditionStatus.False : ConditionStatus.True,
            Reason = Reasons.Steady,
        });
        var group = new RedundancyGroup
        {
            Metadata = new V1ObjectMeta { Name = "db", Generation = 3 },
            Status = new RedundancyGroupStatus { ObservedGeneration = 2, Conditions = [.. conditions] },
        };
        Assert.Equal("Outdated", Assert.Single(Concerns.Of(group)).Reason);
        group.Metadata.Generation = 2;
        Assert.Empty(Concerns.Of(group));
    }
}
