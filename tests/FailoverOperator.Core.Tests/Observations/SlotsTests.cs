using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Observations;

/// <summary>What one slot sees of a group of mode NPlusM: db-0 to db-2 have slots 0 to 2, db-3 and db-4 are spares.</summary>
public sealed class SlotsTests
{
    [Fact]
    public void A_slot_sees_its_holder_and_the_spares_and_nothing_of_the_others()
    {
        var slot = Slots.View(Whole(), "1");
        Assert.Equal(["db-1", "db-3", "db-4"], slot.Members.Select(m => m.Name));
        Assert.Equal(("1", 3, 0), (slot.Slot, slot.WorkloadReplicas, slot.PromisedSpares));
        Assert.Equal("db-1", SlotHolder.Of(slot).Holder!.Name);
        Assert.All(slot.Failovers, f => Assert.Equal("1", f.Spec.Slot));
    }

    [Fact]
    public void A_group_of_one_slot_sees_everything()
    {
        var whole = Healthy();
        Assert.Equal(whole, Slots.View(whole, "0"));
    }

    /// <summary>What was written down outweighs a label, which anybody may change.</summary>
    [Theory]
    [InlineData("db-0", null)]   // the holder of another slot, its label taken off
    [InlineData("db-0", "1")]    // the same, with this slot's label
    [InlineData("db-3", "2")]    // a spare that another slot has bound
    [InlineData("db-3", "9")]    // of a slot that the group has no more
    public void A_member_of_another_slot_is_not_seen(string member, string? label) =>
        Assert.DoesNotContain(Slots.View(Whole().Change(member, m => m with { SlotLabel = label }), "1").Members, m => m.Name == member);

    [Theory]
    [InlineData(null)]
    [InlineData("2")]
    public void The_own_holder_is_seen_whatever_its_label_says(string? label) =>
        Assert.Contains(Slots.View(Whole().Change("db-1", m => m with { SlotLabel = label }), "1").Members, m => m.Name == "db-1");

    /// <summary>It may still write for that slot.</summary>
    [Fact]
    public void A_primary_that_another_slot_is_fencing_is_not_seen()
    {
        var whole = Whole().With(Of("0", Running(FailoverPhase.Fencing))).Change("db-0", m => m with { SlotLabel = null });
        Assert.DoesNotContain(Slots.View(whole, "1").Members, m => m.Name == "db-0");
        Assert.Contains(Slots.View(whole, "0").Members, m => m.Name == "db-0");
    }

    /// <summary>It has the volume of the old one, which may be all that is left of its slot's data.</summary>
    [Fact]
    public void A_new_pod_of_a_lost_holder_is_no_spare_of_others_until_its_slot_has_another_holder()
    {
        var whole = Whole().Change("db-0", m => m.Recreated() with { SlotLabel = null, RoleLabel = null });
        Assert.DoesNotContain(Slots.View(whole, "1").Members, m => m.Name == "db-0");
        Assert.Contains(Slots.View(whole, "0").Members, m => m.Name == "db-0");
        // By hand it can be given to a slot all the same.
        Assert.Contains(Slots.View(whole.Change("db-0", m => m with { SlotLabel = "1" }), "1").Members, m => m.Name == "db-0");
        var moved = whole.With(Of("0", Running(FailoverPhase.Promoting, candidate: "db-3")));
        Assert.Contains(Slots.View(moved, "1").Members, m => m.Name == "db-0");
    }

    [Theory]
    [InlineData(FailoverPhase.Fencing, null, null, 1)]
    [InlineData(FailoverPhase.Electing, null, null, 1)]
    [InlineData(FailoverPhase.Electing, "FenceUnproven", null, 0)]   // held up: it keeps nobody waiting
    [InlineData(FailoverPhase.Promoting, null, "db-3", 0)]           // it has its spare
    public void Spares_are_promised_to_slots_that_are_more_important_and_about_to_choose(FailoverPhase phase, string? reason, string? candidate, int promised)
    {
        var running = Of("0", Running(phase, candidate: candidate));
        var whole = Whole().With(running with { Status = running.Status with { Reason = reason } });
        Assert.Equal(promised, Slots.View(whole, "1").PromisedSpares);
        Assert.Equal(0, Slots.View(whole, "0").PromisedSpares);
    }

    /// <summary>Of the same priority the lower number goes first; a slot that is not named has 100.</summary>
    [Theory]
    [InlineData("", "0 1 2", 0, 1)]
    [InlineData("2=200", "2 0 1", 1, 2)]
    [InlineData("2=101 1=101", "1 2 0", 2, 0)]
    [InlineData("0=0", "1 2 0", 2, 0)]
    [InlineData("0=1000 1=100", "0 1 2", 0, 1)]
    public void The_order_is_that_of_the_priorities(string priorities, string order, int promisedTo0, int promisedTo1)
    {
        var slots = priorities.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('='))
            .Select(p => new SlotSpec { Name = p[0], Priority = int.Parse(p[1], System.Globalization.CultureInfo.InvariantCulture) }).ToList();
        var whole = Whole().With(s => s with { Slots = slots });
        Assert.Equal(order, string.Join(' ', Slots.ByImportance(whole.Spec)));
        Assert.Equal(["0", "1", "2"], Slots.Names(whole.Spec));
        // All three have nobody at the same time.
        foreach (var slot in new[] { "0", "1", "2" }) whole = whole.With(Of(slot, Running(FailoverPhase.Electing)));
        Assert.Equal((promisedTo0, promisedTo1), (Slots.View(whole, "0").PromisedSpares, Slots.View(whole, "1").PromisedSpares));
    }

    /// <summary>It has bound its spare before it is stopped.</summary>
    [Fact]
    public void A_slot_whose_primary_is_to_hand_over_keeps_no_spare_from_one_that_has_failed()
    {
        var running = Of("0", Running(FailoverPhase.Fencing, FailoverType.Switchover));
        Assert.Equal(0, Slots.View(Whole().With(running), "1").PromisedSpares);
        // Until its primary is ended: it may need another one.
        Assert.Equal(1, Slots.View(Whole().With(running with { Status = running.Status with { End = new LogEnd() } }), "1").PromisedSpares);
    }

    [Theory]
    [InlineData(1, 2, true)]
    [InlineData(2, 2, false)]
    [InlineData(3, 2, false)]
    public void The_last_spares_are_left_to_those_slots(int promised, int spares, bool mayChoose)
    {
        var slot = Slots.View(Whole(), "1") with { PromisedSpares = promised };
        Assert.Equal(spares, slot.Members.Count(Slots.IsFree));
        var failed = slot with { Members = [.. slot.Members.Where(m => m.Name != "db-1")], WorkloadReplicas = 2 };
        Assert.Equal(mayChoose, Candidates.Of(failed, Benchmark.Of(failed), Seconds(3)).Ranked(failed.Members).Count > 0);
    }

    [Fact]
    public void A_spare_is_bound_before_it_is_written_down_as_the_candidate()
    {
        var whole = Whole().With(Of("1", Running(FailoverPhase.Electing) with { PhaseFor = Seconds(2) }, from: "db-1"));
        var slot = Slots.View(whole with { Members = [.. whole.Members.Where(m => m.Name != "db-1")] }, "1");
        var bind = Assert.IsType<Step.BindSpare>(Assert.Single(Assert.IsType<Decision.Advance>(FailoverProcedure.Next(slot, slot.Failovers[^1])).Steps));
        Assert.Equal(("db-3", "1"), (bind.Member.Name, bind.Slot));

        var bound = slot.Change("db-3", m => m with { SlotLabel = "1" });
        var enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(FailoverProcedure.Next(bound, bound.Failovers[^1])).Steps));
        Assert.Equal((FailoverPhase.Promoting, "db-3"), (enter.Phase, enter.Candidate!.Name));
    }

    /// <summary>Who is bound stays so, even if another one has become better.</summary>
    [Fact]
    public void A_slot_does_not_change_its_mind()
    {
        var slot = Slots.View(Whole().Change("db-4", m => m with { SlotLabel = "1" }), "1");
        Assert.Equal("db-4", Candidates.Of(slot, Benchmark.Of(slot), Seconds(3)).Ranked(slot.Members)[0].Name);
    }

    /// <summary>The others are up, and this slot does not see them.</summary>
    [Fact]
    public void A_slot_without_spares_does_not_say_that_all_members_are_down()
    {
        var whole = Whole().Change("db-1", m => m.Terminating().Silent(1)).Change("db-3", m => m with { SlotLabel = "0" }).Change("db-4", m => m with { SlotLabel = "2" });
        var slot = Slots.View(whole, "1");
        Assert.Equal("db-1", Assert.Single(slot.Members).Name);
        Assert.Equal(Reasons.NoCandidate, Assert.IsType<Decision.Blocked>(Decider.Decide(slot).Decision).Reason);
    }

    [Theory]
    [InlineData("1", "spare", null, null, 0.0, null)]        // not this slot's to label
    [InlineData("0", "standby", null, null, 0.0, "-")]       // a new pod
    [InlineData("0", "spare", null, null, 0.0, null)]
    [InlineData("1", "active", 1L, "1", 1.0, "1")]           // replaced a moment ago: still bound
    [InlineData("1", "spare", null, "1", 29.9, null)]
    [InlineData("1", "spare", null, "1", 30.0, "-")]         // of no use for long: free
    [InlineData("1", "spare", null, "2", 99.0, null)]        // another slot's
    public void Labels_of_spares(string slot, string role, long? term, string? label, double idleFor, string? expected)
    {
        var group = Slots.View(Whole(), slot);
        var member = Member("db-3", Standby("db-3").Probe.Status!) with { RoleLabel = role, TermLabel = term, SlotLabel = label, IdleFor = label is null ? null : Seconds(idleFor), Version = "17" };
        var step = Bindings.Relabel(group, member, RoleLabels.Spare, null).SingleOrDefault();
        Assert.Equal(expected, step is null ? null : step.Slot ?? "-");
        if (step is not null) Assert.Equal((RoleLabels.Spare, null, "17"), (step.Role, step.Term, step.ReadVersion));
    }

    [Fact]
    public void A_request_for_a_slot_that_is_not_there_is_answered_once()
    {
        var request = Of("7", Running(FailoverPhase.Pending)) with { Name = "ask", IsOwn = false };
        var whole = Whole().With(request with { Spec = new FailoverSpec { Slot = "7", Type = FailoverType.Failover } });
        var answers = Slots.Names(whole.Spec).Select(slot => Decider.Decide(Slots.View(whole, slot))).Where(v => v.Running?.Name == "ask").ToList();
        var enter = Assert.IsType<Step.Enter>(Assert.Single(Assert.IsType<Decision.Advance>(Assert.Single(answers).Decision).Steps));
        Assert.Equal((FailoverPhase.Failed, "there is no slot 7; there are slots 0 to 2"), (enter.Phase, enter.Message));
    }

    [Fact]
    public void Each_slot_has_Services_of_its_own()
    {
        Assert.Equal(["db-rw-0", "db-rw-1", "db-rw-2"], Slots.Services(Whole().Spec).Select(s => s.Name));
        Assert.Equal(["db-rw"], Slots.Services(Spec).Select(s => s.Name));
    }

    private static GroupObservation Whole() => NewGroup(
        [Active("db-0"), Active("db-1"), Active("db-2"), Spare("db-3"), Spare("db-4")]) with
    {
        Spec = Spec with { Mode = RedundancyMode.NPlusM, Active = 3, Engine = new EngineSpec { Type = EngineType.Hooks } },
        Failovers = [.. Enumerable.Range(0, 3).Select(n => Of($"{n}", Ended(1, $"db-{n}")))],
    };

    private static Member Active(string name) => Primary(name) with { SlotLabel = name[^1..] };

    /// <summary>Of whichever slot it is asked.</summary>
    private static Member Spare(string name) => Member(name, Standby(name).Probe.Status! with { FollowsAddress = null }) with { RoleLabel = RoleLabels.Spare };

    private static FailoverRecord Of(string slot, FailoverRecord failover, string? from = null) => failover with
    {
        Name = $"db-{slot}-{failover.Spec.Term}",
        Spec = failover.Spec with { Slot = slot, From = from is null ? failover.Spec.From : Reference(from) },
    };
}
