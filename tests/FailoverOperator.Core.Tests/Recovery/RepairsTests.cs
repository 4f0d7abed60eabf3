using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Recovery;

public sealed class RepairsTests
{
    private static IReadOnlyList<Step> Needed(GroupObservation group, long term = 1) => Repairs.Needed(group, group.Members[0], term);

    [Fact]
    public void A_tidy_group_needs_nothing() => Assert.Empty(Needed(Healthy()));

    /// <summary>Invariant I6, as long as the Service asks for no pod by name.</summary>
    [Fact]
    public void Where_the_role_alone_leads_traffic_nobody_else_is_labelled_active_before_the_primary_is()
    {
        var group = ByRole(Healthy()).Change("db-0", m => m with { RoleLabel = null }).Change("db-1", m => m with { RoleLabel = "active", TermLabel = 1 });
        Assert.Equal(("db-1", "standby", null), Assert.IsType<Step.Label>(Assert.Single(Needed(group))) is var l ? (l.Member.Name, l.Role, l.Term) : default);
        Assert.Equal(("db-0", "active", 1L), Assert.IsType<Step.Label>(Assert.Single(Needed(Healthy().Change("db-0", m => m with { RoleLabel = null })))) is var a ? (a.Member.Name, a.Role, a.Term) : default);
    }

    /// <summary>One write moves the traffic; the old primary's label, which moves nothing any more, comes after it.</summary>
    [Fact]
    public void Where_a_pod_is_asked_for_by_name_traffic_moves_before_the_other_labels_change()
    {
        var group = Healthy().Change("db-0", m => m with { RoleLabel = "active", TermLabel = 1 });
        Assert.Equal([new Step.Label(group.Members[1], "active", 2), new Step.PointService("db-rw", TrafficRole.Active, "db-1", 2)],
            Repairs.Needed(group, group.Members[1], 2).Where(s => s is not Step.Follow));
        var moved = group.Change("db-1", m => m with { RoleLabel = "active", TermLabel = 2 }) with { Services = [Service("db-rw") with { PublishedTerm = 2, SelectedPod = "db-1" }] };
        Assert.Equal([new Step.Label(moved.Members[0], "standby", null)], Repairs.Needed(moved, moved.Members[1], 2).Where(s => s is not Step.Follow));
    }

    [Fact]
    public void A_service_that_asks_for_the_role_alone_is_pointed_to_the_pod() =>
        Assert.Equal(new Step.PointService("db-rw", TrafficRole.Active, "db-0", 1), Assert.Single(Needed(ByRole(Healthy()))));

    private static GroupObservation ByRole(GroupObservation group) => group with { Services = [.. group.Services.Select(s => s with { SelectedPod = null })] };

    [Theory]
    [InlineData(TrafficRole.Active, null, "active", true)]
    [InlineData(TrafficRole.Active, 1L, "active", true)]
    [InlineData(TrafficRole.Active, 2L, "active", false)]
    [InlineData(TrafficRole.Active, 2L, null, true)]
    [InlineData(TrafficRole.Standby, 2L, "active", true)]
    [InlineData(TrafficRole.Standby, 2L, "standby", false)]
    [InlineData(TrafficRole.Active, 3L, null, false)]
    public void A_service_never_goes_back_to_a_lower_term(TrafficRole role, long? published, string? selected, bool points)
    {
        var group = Healthy().Change("db-0", m => m with { TermLabel = 2 }) with { Services = [Service("s", role) with { PublishedTerm = published, SelectedRole = selected }] };
        Assert.Equal(points, Needed(group, 2).Any(s => s is Step.PointService { Name: "s", Term: 2 }));
    }

    public static TheoryData<string, Func<Member, Member>, bool> Followers => new()
    {
        { "follows", m => m, false },
        { "follows another", m => m.Says(s => s with { FollowsAddress = "10.9.9.9" }), true },
        { "is primary", m => m.Says(s => s with { Role = EngineRole.Primary }), true },
        { "is writable", m => m.Says(s => s with { Writable = true }), true },
        { "cannot tell, link up", m => m.Says(s => s with { FollowsAddress = null }), false },
        { "cannot tell, link down", m => m.Says(s => s with { FollowsAddress = null, Link = ReplicationLink.Down }), true },
        { "cannot tell, copying", m => m.Says(s => s with { FollowsAddress = null, Link = ReplicationLink.Syncing }), false },
        { "silent", m => m.Silent(1), false },
        { "leaving", m => m.Says(s => s with { Writable = true }).Terminating(), false },
    };

    [Theory]
    [MemberData(nameof(Followers), DisableDiscoveryEnumeration = true)]
    public void Who_answers_and_does_not_follow_is_told_to(string what, Func<Member, Member> change, bool follows)
    {
        Assert.True(follows == Needed(Healthy().Change("db-1", change)).Any(s => s is Step.Follow { Member.Name: "db-1" }), what);
        Assert.DoesNotContain(Needed(Healthy().Change("db-1", change).Change("db-0", m => m with { Address = null })), s => s is Step.Follow);
    }

    [Fact]
    public void Traffic_must_lead_to_the_primary_alone()
    {
        Assert.True(Repairs.TrafficLeadsTo(Healthy() with { Services = [Service("db-rw"), Service("db-ro", TrafficRole.Standby)] }, Primary()));
        Assert.False(Repairs.TrafficLeadsTo(Healthy() with { Services = [Service("db-rw") with { Addresses = [] }] }, Primary()));
        Assert.False(Repairs.TrafficLeadsTo(Healthy() with { Services = [Service("db-rw") with { Addresses = [Address("db-1")] }] }, Primary()));
    }
}
