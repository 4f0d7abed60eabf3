using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Controllers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>Who runs and who waits, as each one's looks at itself tell.</summary>
public sealed class StormLogTests
{
    private static readonly Diagnosis Failure = new Diagnosis.PrimaryFailed(FailoverCause.PrimaryNodeDown, ["its node is down"]);
    private static readonly FailoverSpec Plan = new() { Type = FailoverType.Failover, Cause = FailoverCause.PrimaryNodeDown, Evidence = ["its node is down"] };

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _called = [];
    private readonly StormLog _log;

    public StormLogTests() => _log = new(new OperatorSettings { MaxConcurrentFailovers = 1 }, new OperatorClock(_time), key => _called.Add(key.Name));

    private static ObjectKey Key(string group) => new("shop", group);

    private Decision Begin(string group, int priority = 0, string slot = "0") => _log.Admit(Key(group), slot, priority, new(Failure, null, new Decision.Begin(Plan))).Decision;

    private Decision Run(string group, FailoverPhase phase = FailoverPhase.Fencing, Decision? decision = null) => _log.Admit(Key(group), "0", 0,
        new(Failure, new FailoverRecord { Name = group, Spec = Plan, Status = new FailoverStatus { Phase = phase } }, decision ?? new Decision.Wait(TimeSpan.FromSeconds(1), Reasons.FailoverRunning, ""))).Decision;

    private void Steady(string group) => _log.Admit(Key(group), "0", 0, new(Failure, null, new Decision.Steady()));

    private static void IsKeptBack(Decision decision)
    {
        var wait = Assert.IsType<Decision.Wait>(decision);
        Assert.Equal(Reasons.ClusterDisruption, wait.Reason);
        Assert.StartsWith("its node is down; many groups have failed at once: ", wait.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_waits_is_called_when_the_one_that_runs_has_ended_and_the_most_important_first()
    {
        Assert.IsType<Decision.Begin>(Begin("a"));
        Run("a");
        IsKeptBack(Begin("b"));
        IsKeptBack(Begin("c", priority: 1));
        Assert.Empty(_called);
        Steady("a");
        Assert.Equal(["c"], _called);
        IsKeptBack(Begin("b"));
        Assert.IsType<Decision.Begin>(Begin("c", priority: 1));
    }

    [Fact]
    public void A_claim_that_failed_may_be_tried_again() => Assert.All(Enumerable.Range(0, 3), _ => Assert.IsType<Decision.Begin>(Begin("a")));

    [Fact]
    public void Slots_of_a_group_count_one_by_one()
    {
        Assert.IsType<Decision.Begin>(Begin("a"));
        IsKeptBack(Begin("a", slot: "1"));
        _log.Forget(Key("a"), "0");
        Assert.IsType<Decision.Begin>(Begin("a", slot: "1"));
        _log.Forget(Key("a"));
        Assert.IsType<Decision.Begin>(Begin("b"));
    }

    [Fact]
    public void One_that_is_blocked_leaves_its_place_and_takes_it_again_without_being_asked()
    {
        Begin("a");
        IsKeptBack(Begin("b"));
        Assert.IsType<Decision.Blocked>(Run("a", decision: new Decision.Blocked(Reasons.FenceUnproven, "")));
        Assert.Equal(["b"], _called);
        Assert.IsType<Decision.Begin>(Begin("b"));
        // It has begun, and goes on to its end.
        Assert.IsType<Decision.Wait>(Run("a"));
        IsKeptBack(Begin("c"));
    }

    /// <summary>As when its reconciliation hangs, or fails each time.</summary>
    [Fact]
    public void Who_is_not_looked_at_any_more_keeps_nobody_waiting()
    {
        Begin("a");
        IsKeptBack(Begin("b", priority: 9));
        _time.Advance(TimeSpan.FromSeconds(30));
        IsKeptBack(Begin("c"));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsType<Decision.Begin>(Begin("c"));
    }

    [Fact]
    public void What_takes_too_long_keeps_nobody_waiting()
    {
        Begin("a");
        for (var second = 0; second < 120; second += 10)
        {
            Run("a");
            IsKeptBack(Begin("b"));
            _time.Advance(TimeSpan.FromSeconds(10));
        }
        Run("a");
        Assert.IsType<Decision.Begin>(Begin("b"));
    }

    [Fact]
    public void What_a_person_asks_for_neither_waits_nor_counts()
    {
        var asked = Plan with { RequestRef = new RequestReference { Name = "now" } };
        Begin("a");
        Assert.IsType<Decision.Begin>(_log.Admit(Key("b"), "0", 0, new(Failure, null, new Decision.Begin(asked))).Decision);
        Steady("a");
        Assert.IsType<Decision.Begin>(Begin("c"));
    }
}
