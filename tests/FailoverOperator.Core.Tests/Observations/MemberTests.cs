using FailoverOperator.Core.Decisions;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Observations;

public sealed class MemberTests
{
    [Fact]
    public void A_status_is_as_old_as_the_question_and_the_facts_together()
    {
        Assert.Equal(Seconds(0.1), Standby("db-1").StatusAge);
        Assert.Equal(Seconds(0.9), Standby("db-1").Says(s => s with { Age = Seconds(0.8) }).StatusAge);
        Assert.Equal(TimeSpan.MaxValue, Standby("db-1").NotAsked().StatusAge);
    }

    [Theory]
    [InlineData(0.8, true)]
    [InlineData(1.0, false)]
    public void Old_facts_that_were_told_just_now_are_old(double age, bool eligible)
    {
        var candidates = new Candidates(Spec, Benchmark.Of(Healthy()), Seconds(1));
        Assert.Equal(eligible, candidates.Judge(Standby("db-1").Says(s => s with { Age = Seconds(age) })) is Eligibility.Eligible);
    }

    [Fact]
    public void A_member_is_named_as_in_a_lease() => Assert.Equal("db-1/uid-db-1", Standby("db-1").Identity);
}
