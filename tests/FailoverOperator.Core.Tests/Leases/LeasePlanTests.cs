using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.GivenAgents;

namespace FailoverOperator.Core.Tests.Leases;

public sealed class LeasePlanTests
{
    private static GroupObservation Of(int members, int? replicas = null) =>
        Group([.. Enumerable.Range(0, members).Select(i => Standby($"db-{i}"))]) with { WorkloadReplicas = replicas ?? members };

    [Fact]
    public void The_terms_carry_the_spec_and_every_member_with_an_address()
    {
        var spec = Spec with
        {
            Agent = Spec.Agent! with { Port = 9000 },
            Detection = Spec.Detection with { LeaseDurationSeconds = 7, RenewIntervalMilliseconds = 900 },
            Fencing = Spec.Fencing with { StopAfterMilliseconds = 2500, DemoteTimeoutMilliseconds = 800 },
        };
        var terms = LeasePlan.TermsFor(Healthy().Change("db-2", m => m with { Address = null }) with { Spec = spec });
        Assert.Equal((7, 900, 2500, 800, 0), (terms.LeaseDurationSeconds, terms.RenewIntervalMilliseconds, terms.StopAfterMilliseconds, terms.DemoteTimeoutMilliseconds, terms.RestartTimeoutSeconds));
        Assert.Equal([new LeaseMember("db-0", "uid-db-0", "10.0.0.0", 9000), new LeaseMember("db-1", "uid-db-1", "10.0.0.1", 9000)], terms.Members);
    }

    [Fact]
    public void Members_are_ordered_by_name() =>
        Assert.Equal(["db-0", "db-1", "db-2"], LeasePlan.TermsFor(Group(Standby("db-2"), Primary(), Standby("db-1"))).Members.Select(m => m.Name));

    [Theory]
    [InlineData(1, Failsafe.Enabled, false)]
    [InlineData(2, Failsafe.Enabled, true)]
    [InlineData(2, Failsafe.Disabled, false)]
    public void Failsafe_takes_two(int members, Failsafe wanted, bool failsafe) =>
        Assert.Equal(failsafe, LeasePlan.TermsFor(Of(members).With(s => s with { Fencing = s.Fencing with { Failsafe = wanted } })).Failsafe);

    [Theory]
    [InlineData(OnProcessCrash.Failover, 0)]
    [InlineData(OnProcessCrash.RestartFirst, 12)]
    public void Only_with_RestartFirst_a_server_is_started_again(OnProcessCrash choice, int seconds) =>
        Assert.Equal(seconds, LeasePlan.TermsFor(Healthy().With(s => s with { Detection = s.Detection with { OnProcessCrash = choice, RestartTimeoutSeconds = 12 } })).RestartTimeoutSeconds);

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(1, 3, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(3, 3, 1)]
    [InlineData(4, 4, 2)]
    [InlineData(5, 5, 2)]
    public void Without_loss_allowed_a_majority_holds_each_write(int members, int replicas, int standbys) =>
        Assert.Equal(standbys, LeasePlan.TermsFor(Of(members, replicas)).SynchronousStandbys);

    [Theory]
    [InlineData(EngineType.PostgreSQL, 1)]
    [InlineData(EngineType.Redis, 0)]
    public void With_loss_allowed_nobody_is_waited_for(EngineType engine, int rpoSeconds) =>
        Assert.Equal(0, LeasePlan.TermsFor(Healthy().With(s => s with { Engine = new EngineSpec { Type = engine }, Targets = new TargetsSpec { RpoSeconds = rpoSeconds } })).SynchronousStandbys);

    /// <summary>What they have of the holders before is still needed to find every acknowledged write.</summary>
    [Fact]
    public void A_new_holder_counts_the_members_that_are_away()
    {
        var lease = Healthy().Lease!.Record!;
        var left = Healthy().Without("db-0");
        var terms = LeasePlan.TermsFor(left, lease);
        Assert.Equal(["db-0", "db-1", "db-2"], terms.Members.Select(m => m.Name));
        Assert.Equal(1, terms.SynchronousStandbys);
        // A pod made anew under its name takes its place.
        Assert.Equal("uid-db-0-new", LeasePlan.TermsFor(Healthy().Change("db-0", m => m.Recreated()), lease).Members[0].Uid);
        Assert.Equal(2, LeasePlan.TermsFor(left.With(s => s with { Targets = new TargetsSpec { RpoSeconds = 5 } }), lease).Members.Count);
        Assert.Equal(2, LeasePlan.TermsFor(left, null).Members.Count);
    }
}
