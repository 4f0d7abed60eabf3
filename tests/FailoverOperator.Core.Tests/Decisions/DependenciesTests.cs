using CsCheck;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Reporting;

namespace FailoverOperator.Core.Tests.Decisions;

/// <summary>Who depends on another group fails over after it, and waits for nobody for ever.</summary>
public sealed class DependenciesTests
{
    private const int WaitSeconds = 300;

    /// <summary>db has failed so long ago, and depends on these.</summary>
    private static GroupObservation Failed(double seconds, params (string Name, string How)[] on) => Given.Healthy().Change("db-0", m => m.Terminating()) with
    {
        Spec = Given.Spec with { DependsOn = [.. on.Select(d => new DependencySpec { Name = d.Name, WaitSeconds = WaitSeconds })] },
        Dependencies = [.. on.Where(d => d.How != "missing").Select(d => GivenDependencies.Observation(d.Name, d.How))],
        DependencyGraph = Graph("db", [("db", [.. on.Select(d => d.Name)]), .. on.Where(d => d.How != "missing").Select(d => (d.Name, Array.Empty<string>()))]),
        FailedSince = new FailureTime(Given.Seconds(seconds), GivenDependencies.Since, UnwellFor: Given.Seconds(seconds)),
    };

    private static DependencyGraph Graph(string self, params (string From, string[] To)[] edges) =>
        new(self, edges.ToDictionary(e => e.From, e => (IReadOnlyList<string>)e.To));

    public static TheoryData<string, double?> Troubles => new()
    {
        { "fails over", 290 },
        { "down", 290 },
        { "unknown", 290 },
        { "not reported", 290 },
        { "available", null },
        { "missing", null },
    };

    [Theory]
    [MemberData(nameof(Troubles))]
    public void It_waits_for_a_group_that_is_not_well(string how, double? left)
    {
        var decision = Decider.Decide(Failed(10, ("orders-db", how))).Decision;
        if (left is null) Assert.IsType<Decision.Begin>(decision);
        else Assert.Equal((Reasons.WaitingForDependency, Given.Seconds(left.Value)), decision is Decision.Wait wait ? (wait.Reason, wait.For) : default);
    }

    [Fact]
    public void It_says_for_whom_and_until_when_and_what_to_do_instead()
    {
        var group = Failed(10, ("cache", "available"), ("orders-db", "fails over"));
        Assert.Equal("waits for group orders-db, which fails over (orders-db-0-7), at most until 2026-11-28T02:35:00Z (dependsOn.waitSeconds); "
            + "to fail over now, apply a Failover with spec: { groupRef: { name: db }, type: Failover }", Dependencies.On(group)!.Message);
        Assert.Contains("is not Available (PrimaryNotServing: so it is)", Dependencies.On(Failed(10, ("orders-db", "down")))!.Message, StringComparison.Ordinal);
        var report = GroupReport.Of(group, new AcceptanceVerdict(true, true, "Valid", ""), Decider.Decide(group));
        Assert.Equal((ConditionStatus.True, Reasons.WaitingForDependency), report.Conditions.Single(c => c.Type == ConditionTypes.Suppressed) is var c ? (c.Status, c.Reason) : default);
    }

    [Fact]
    public void At_first_it_looks_whether_the_others_have_failed_too()
    {
        Assert.Equal((Reasons.FailureSuspected, Given.Seconds(0.7)), Decider.Decide(Failed(0.3, ("orders-db", "available"))).Decision is Decision.Wait wait ? (wait.Reason, wait.For) : default);
        Assert.IsType<Decision.Begin>(Decider.Decide(Failed(1, ("orders-db", "available"))).Decision);
        Assert.IsType<Decision.Begin>(Decider.Decide(Failed(0.3, ("orders-db", "missing"))).Decision);
        Assert.IsType<Decision.Begin>(Decider.Decide(Failed(0.3)).Decision);
        // It showed as a silence, which has lasted.
        var silent = Failed(0, ("orders-db", "available"));
        Assert.IsType<Decision.Begin>(Decider.Decide(silent with { FailedSince = silent.FailedSince! with { UnwellFor = Given.Seconds(5) } }).Decision);
    }

    [Fact]
    public void Where_nobody_knows_since_when_nothing_is_kept_back() =>
        Assert.IsType<Decision.Begin>(Decider.Decide(Failed(0, ("orders-db", "down")) with { FailedSince = null }).Decision);

    /// <summary>A promotion that did not end in time is a failure, too.</summary>
    [Fact]
    public void Every_diagnosis_that_leads_to_a_failover_counts()
    {
        Diagnosis[] failures = [new Diagnosis.PrimaryFailed(FailoverCause.PrimaryPodGone, []), new Diagnosis.PrimaryDemoted(Given.Primary())];
        Diagnosis[] others = [new Diagnosis.Healthy(), new Diagnosis.NewGroup(), new Diagnosis.PrimaryMoved(Given.Primary()), new Diagnosis.PrimarySuspected("", null)];
        Assert.All(failures, f => Assert.True(Dependencies.HasFailed(f) && Dependencies.IsUnwell(f)));
        Assert.All(others, o => Assert.Equal((false, o is Diagnosis.PrimarySuspected), (Dependencies.HasFailed(o), Dependencies.IsUnwell(o))));
    }

    [Fact]
    public void What_a_person_asks_for_waits_for_nobody() => Assert.IsType<Decision.Begin>(Decider.Decide(Failed(10, ("orders-db", "down")) is var group
        ? group with { Failovers = [.. group.Failovers, new FailoverRecord { Name = "mine", IsOwn = false, Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" }, Type = FailoverType.Failover } }] } : group).Decision);

    [Fact]
    public void Who_waits_for_this_one_is_not_waited_for()
    {
        var group = Failed(10, ("a", "down"), ("b", "available")) with { DependencyGraph = Graph("db", ("db", ["a", "b"]), ("a", ["c"]), ("c", ["db"]), ("b", [])) };
        Assert.Null(Dependencies.On(group));
        Assert.IsType<Decision.Begin>(Decider.Decide(group).Decision);
    }

    public static TheoryData<string, DependencyGraph> Circles => new()
    {
        { "db → db", Graph("db", ("db", ["db"])) },
        { "db → a → db", Graph("db", ("db", ["x", "a"]), ("a", ["db"]), ("x", ["y"]), ("y", ["db"])) },
        { "db → a → b → db", Graph("db", ("db", ["a"]), ("a", ["b"]), ("b", ["a", "db"])) },
        { "", Graph("db", ("db", ["a"]), ("a", ["b"]), ("b", ["a"])) },
        { "", DependencyGraph.None },
    };

    [Theory]
    [MemberData(nameof(Circles))]
    public void A_circle_is_refused_by_name(string circle, DependencyGraph graph)
    {
        var verdict = GroupAcceptance.Judge(new AcceptanceFacts { Spec = Given.Spec, WorkloadReplicas = 3, Dependencies = graph });
        Assert.Equal((circle.Length == 0, true, circle.Length == 0 ? Reasons.Valid : Reasons.DependencyCycle), (verdict.Accepted, verdict.CanAct, verdict.Reason));
        if (circle.Length > 0) Assert.Contains($"in a circle: {circle};", verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_group_is_named()
    {
        var verdict = GroupAcceptance.Judge(new AcceptanceFacts { Spec = Given.Spec, WorkloadReplicas = 3, Dependencies = Graph("db", ("db", ["a", "b"]), ("a", [])) });
        Assert.Equal((false, true, Reasons.DependencyNotFound), (verdict.Accepted, verdict.CanAct, verdict.Reason));
        Assert.Contains("there is no group b in this namespace", verdict.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Whatever depends on whatever, in circles or not, and whoever never comes back: every group may act in the end, at the latest when its own
    /// deadline has passed; and where everybody comes back, none acts before those that it depends on.
    /// </summary>
    [Fact]
    public void Nobody_waits_for_ever_and_the_order_is_kept() =>
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 1 << 30], Gen.Int[0, 1 << 7], Gen.Int[0, 1 << 7]).Sample((count, seed, dead, failed) => Play(count, seed, dead, failed));

    private static void Play(int count, int seed, int dead, int failed)
    {
        var names = Enumerable.Range(0, count).Select(n => $"g{n}").ToArray();
        var edges = names.ToDictionary(name => name, name => (IReadOnlyList<string>)[.. names.Where(to => Mix(seed, name, to) % 3 == 0)]);
        bool IsDead(string name) => (dead >> Array.IndexOf(names, name) & 1) == 1;
        var down = names.Where(name => (failed >> Array.IndexOf(names, name) & 1) == 1).ToDictionary(name => name, _ => (double?)null);
        for (var now = 0.0; now <= WaitSeconds && down.Any(d => d.Value is null); now += 1)
        {
            // All look at the same state, and act at the same time.
            var acting = down.Where(d => d.Value is null && !IsDead(d.Key) && MayAct(d.Key, now)).Select(d => d.Key).ToList();
            foreach (var name in acting) down[name] = now;
        }
        foreach (var (name, at) in down.Where(d => !IsDead(d.Key)))
        {
            Assert.True(at <= WaitSeconds, $"{name} never acts");
            var ahead = edges[name].Where(to => down.ContainsKey(to) && !IsDead(to) && !new DependencyGraph(name, edges).IsCircular(to));
            if (dead == 0) Assert.All(ahead, to => Assert.True(down[to] < at, $"{name} acts at {at}, before {to}, at {down[to]}"));
        }

        bool MayAct(string name, double seconds)
        {
            var group = Failed(seconds, [.. edges[name].Select(to => (to, down.TryGetValue(to, out var at) && at is null ? "down" : "available"))]) with { DependencyGraph = new(name, edges) };
            return Decider.Decide(group).Decision is Decision.Begin;
        }
    }

    private static uint Mix(int seed, string from, string to)
    {
        var hash = (uint)seed * 2654435761u;
        foreach (var letter in $"{from}>{to}") hash = (hash ^ letter) * 16777619u;
        return hash >> 7;
    }
}
