using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Hosting;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Mode NPlusM, by the whole operator in virtual time.</summary>
public sealed class SlotsTests
{
    [Fact]
    public void Each_slot_gets_a_member_of_its_own_and_a_Service()
    {
        using var world = Ready(3, 2);
        Assert.Equal(["db-0", "db-1", "db-2"], Enumerable.Range(0, 3).Select(world.Holder).Order(StringComparer.Ordinal));
        var status = world.Group.Status!;
        Assert.Equal(["0", "1", "2"], status.Slots.Select(s => s.Name));
        Assert.Equal((2, true), (status.SparesReady, status.FailoverReadiness!.Ready));
        Assert.Equal([MemberRole.Active, MemberRole.Active, MemberRole.Active, MemberRole.Spare, MemberRole.Spare], status.Members.Select(m => m.Role));
        for (var slot = 0; slot < 3; slot++)
        {
            var (selector, pod) = (world.Service(slot).Spec.Selector, world.Pod(world.Holder(slot)!)!);
            Assert.Equal(("active", $"{slot}", pod.Name()), (selector[ApiGroup.RoleLabel], selector[ApiGroup.SlotLabel], selector[ApiGroup.PodNameLabel]));
            Assert.Equal(("active", $"{slot}"), (pod.Metadata.Labels[ApiGroup.RoleLabel], pod.Metadata.Labels[ApiGroup.SlotLabel]));
        }
        var spare = world.Pod("db-4")!.Metadata.Labels;
        Assert.Equal(("spare", false), (spare[ApiGroup.RoleLabel], spare.ContainsKey(ApiGroup.SlotLabel)));
    }

    [Fact]
    public void A_spare_takes_the_slot_of_a_lost_member_and_the_others_keep_theirs()
    {
        using var world = Ready(3, 2);
        var before = Enumerable.Range(0, 3).Select(world.Holder).ToList();
        world.Delete(before[1]!);
        world.Until(() => world.Holder(1) != before[1] && world.AllServe, "slot 1 is served by a spare");
        Assert.Contains(world.Holder(1), new[] { "db-3", "db-4" });
        Assert.Equal((before[0], before[2]), (world.Holder(0), world.Holder(2)));
        var failover = world.Failovers.Single(f => f.Spec.Type == FailoverType.Failover);
        Assert.Equal(("1", FailoverPhase.Completed, "db-1-2"), (failover.Spec.Slot, failover.Status!.Phase, failover.Name()));
        world.UntilAllServe("the member that came back is a spare");
        Assert.Equal("spare", world.Pod(before[1]!)!.Metadata.Labels[ApiGroup.RoleLabel]);
    }

    [Fact]
    public void The_spares_that_are_left_are_for_the_most_important_slots_and_the_others_say_so()
    {
        using var world = Ready(3, 1);
        var holders = Enumerable.Range(0, 3).Select(world.Holder).ToList();
        foreach (var holder in holders)
        {
            world.Lost.Add(holder!);
            world.Delete(holder!);
        }
        world.Until(() => world.Serves(0), "slot 0 gets the spare");
        world.Pass(TimeSpan.FromSeconds(20));
        Assert.True(world.Serves(0));
        Assert.Equal("False NoCandidate", world.Condition("Progressing"));
        var message = world.Group.Status!.Conditions.Single(c => c.Type == "Progressing").Message;
        Assert.Contains("slot 1: ", message);
        Assert.Contains("slot 2: ", message);
        Assert.DoesNotContain("slot 0: ", message);

        world.Lost.Clear();
        world.UntilAllServe("all are back");
    }

    /// <summary>A hook that hangs is one slot's trouble.</summary>
    [Fact]
    public void A_slow_slot_does_not_delay_another_one()
    {
        using var world = Ready(3, 2);
        var slow = new TaskCompletionSource();
        world.Shards.Held[0] = slow;
        var (first, second) = (world.Holder(0)!, world.Holder(1)!);
        world.Delete(first);
        world.Until(() => world.Failovers.Any(f => f is { Spec: { Slot: "0", Type: FailoverType.Failover }, Status.Phase: FailoverPhase.Promoting }), "slot 0 is being promoted");
        world.Delete(second);
        var begun = world.Now;
        world.Until(() => world.Serves(1), "slot 1 fails over meanwhile", TimeSpan.FromSeconds(10));
        Assert.True(world.Now - begun < TimeSpan.FromSeconds(3), $"it took {world.Now - begun}");
        Assert.False(world.Serves(0));
        slow.SetResult();
        world.Shards.Held.Clear();
        world.UntilAllServe("slot 0 goes on");
    }

    [Fact]
    public void A_restarted_server_does_not_keep_its_slot_and_becomes_a_spare_after_a_while()
    {
        using var world = Ready(2, 2);
        var old = world.Holder(0)!;
        world.RestartContainer(old);
        world.Until(() => world.Holder(0) != old && world.AllServe, "another one has its slot");
        Assert.Equal("0", world.Pod(old)!.Metadata.Labels[ApiGroup.SlotLabel]);
        world.Until(() => !world.Pod(old)!.Metadata.Labels.ContainsKey(ApiGroup.SlotLabel), "it is free for any slot");
        world.UntilAllServe("it is a spare");
    }

    [Theory]
    [InlineData("7", "there is no slot 7; there are slots 0 to 2")]
    [InlineData("1", null)]
    public void People_ask_for_a_failover_of_one_slot(string slot, string? refusal)
    {
        using var world = Ready(3, 2);
        var before = Enumerable.Range(0, 3).Select(world.Holder).ToList();
        world.Api.Seed(new Failover
        {
            Metadata = new V1ObjectMeta { Name = "ask", NamespaceProperty = "shop" },
            Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Slot = slot, Type = FailoverType.Failover, Target = "db-4" },
        });
        world.Until(() => world.Failovers.First(f => f.Name() == "ask").Status is { Phase: FailoverPhase.Completed or FailoverPhase.Failed }, "it is answered");
        var status = world.Failovers.First(f => f.Name() == "ask").Status!;
        if (refusal is not null) Assert.Equal((FailoverPhase.Failed, refusal), (status.Phase, status.Message));
        else Assert.Equal((FailoverPhase.Completed, "db-1-2", "db-4"), (status.Phase, status.ExecutedAs, status.Candidate?.Name));
        world.UntilAllServe("all is well");
        Assert.Equal(refusal is null ? "db-4" : before[1], world.Holder(1));
    }

    /// <summary>Failures of every slot are counted, each once.</summary>
    [Fact]
    public void Statistics_are_of_all_slots_and_history_is_kept_for_each()
    {
        using var world = Ready(2, 2, spec => spec with { FailoverHistoryLimit = 1 });
        for (var round = 0; round < 3; round++)
        {
            foreach (var slot in new[] { 0, 1 })
            {
                var holder = world.Holder(slot)!;
                world.Delete(holder);
                world.Until(() => world.Holder(slot) != holder && world.AllServe, $"slot {slot} moves");
                world.UntilAllServe("redundant again");
            }
        }
        world.Pass(TimeSpan.FromSeconds(40));
        Assert.Equal((6, 0L), (world.Group.Status!.Statistics!.Failovers, world.Group.Status.Statistics.CountedTerm));
        Assert.Equal([4L, 4L], world.Group.Status.Slots.Select(s => s.CountedTerm));
    }

    /// <summary>What the condition advises.</summary>
    [Fact]
    public void A_slot_whose_data_are_given_up_begins_anew()
    {
        using var world = Ready(2, 1);
        // More than the objective allows to lose.
        world.Pass(TimeSpan.FromMinutes(1));
        var other = world.Holder(1);
        foreach (var lost in new[] { "db-0", "db-1", "db-2" }.Where(name => name != other)) world.Delete(lost);
        world.Until(() => WaitsForPerson(world), "nobody has the data of slot 0");
        foreach (var failover in world.Failovers.Where(f => f.Spec.Slot == "0")) world.Api.Remove<Failover>("shop", failover.Name());
        world.UntilAllServe("slot 0 begins anew");
        Assert.Equal(other, world.Holder(1));
    }

    /// <summary>
    /// Invariants I1 and I2 for each slot, and no member with two of them, under random deletions, crashes and restarts, with one operator or two
    /// that know nothing of each other; and all slots are served in the end, even if a person has to give up data that nobody has any more.
    /// </summary>
    [Fact]
    public void Whatever_fails_no_slot_is_given_twice() =>
        Gen.Select(Gen.Int[2, 4], Gen.Int[1, 3], Gen.Int[1, 2], Gen.Int[0, 100], Faults).Sample(Strike, iter: 12, threads: 1);

    private static void Strike(int active, int spares, int operators, int latency, (int Kind, int Member, int Pause)[] faults)
    {
        using var world = new SlotsWorld(active, spares);
        for (var i = 0; i < operators; i++) world.StartOperator(new OperatorSettings { Instance = $"operator-{i}" });
        world.SlowDown(latency, seed: faults.Length);
        world.Until(() => world.AllServe, "all slots are served at first");
        foreach (var (kind, member, pause) in faults)
        {
            var name = $"db-{member % (active + spares)}";
            if (world.Pod(name) is { Metadata.DeletionTimestamp: null })
            {
                if (kind == 0) world.Delete(name);
                else if (kind == 1) world.RestartContainer(name);
                else world.Crash(name);
            }
            world.Pass(TimeSpan.FromMilliseconds(pause));
        }
        // Who has crashed and is nobody's primary stays so until the kubelet restarts it.
        foreach (var member in Enumerable.Range(0, active + spares).Select(n => $"db-{n}"))
            if (world.Pod(member) is { Metadata.DeletionTimestamp: null } pod && !world.Shards[pod.Status.PodIP].Up) world.RestartContainer(member);
        // As many times as there are slots.
        for (var slot = 0; slot < active; slot++)
        {
            world.Until(() => IsWhole(world) || WaitsForPerson(world), "all slots are served in the end, or say that the data of one are lost");
            GiveUpWhatIsLost(world);
            world.Until(() => IsWhole(world) || !WaitsForPerson(world), "the slot begins anew");
        }
        world.Until(() => IsWhole(world), "all slots are served in the end");
    }

    private static bool IsWhole(SlotsWorld world) => world.AllServe && world.Condition("Available") == "True PrimaryServing" && world.Condition("Redundant") == "True EnoughSpares";

    /// <summary>The only one that had them has lost them with its pod: whether they are given up, a person decides.</summary>
    private static bool WaitsForPerson(SlotsWorld world) => world.Condition("Progressing") == "False BeyondRpo"
        && world.Group.Status!.Conditions.Single(c => c.Type == "Progressing").Message.Contains("is back without the data of slot", StringComparison.Ordinal);

    /// <summary>What the condition advises a person to do.</summary>
    private static void GiveUpWhatIsLost(SlotsWorld world)
    {
        if (!WaitsForPerson(world)) return;
        var message = world.Group.Status!.Conditions.Single(c => c.Type == "Progressing").Message;
        foreach (var failover in world.Failovers.Where(f => message.Contains($"{ApiGroup.SlotLabel}={f.Spec.Slot} "))) world.Api.Remove<Failover>("shop", failover.Name());
    }

    private static Gen<(int Kind, int Member, int Pause)[]> Faults => Gen.Select(Gen.Int[0, 2], Gen.Int[0, 6], Gen.Int[0, 4000]).Array[1, 8];

    private static SlotsWorld Ready(int active, int spares, Func<RedundancyGroupSpec, RedundancyGroupSpec>? change = null)
    {
        var world = new SlotsWorld(active, spares, change);
        world.StartOperator();
        world.UntilAllServe("all slots are served and the group is redundant");
        // Until there is something to lose.
        world.Pass(TimeSpan.FromSeconds(5));
        return world;
    }
}
