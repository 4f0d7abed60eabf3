using CsCheck;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Tests.Leases.Simulation;

namespace FailoverOperator.Core.Tests.Leases;

/// <summary>The simulation is an oracle only if it finds mistakes: each of these has to be found, and soon.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    /// <summary>Several times as many as are needed.</summary>
    private const int Schedules = 400;

    [Fact]
    public void Counting_from_the_acknowledgement_is_found() => Found("I1", Mixes.LateAnswers, new Mutants.CountsFromAcknowledgement());

    [Fact]
    public void A_release_before_the_server_is_dead_is_found() => Found("I3", Mixes.Everything, new Mutants.ReleasesBeforeTheEnd());

    [Fact]
    public void A_stop_that_is_too_late_by_a_little_is_found() => Found("I1", Mixes.Timing, new Mutants.StopsLate(TimeSpan.FromMilliseconds(200)));

    [Fact]
    public void Promises_that_are_not_kept_are_found() => Found("I1", Mixes.Everything, new Mutants.ForgetsPromises());

    [Fact]
    public void Promises_that_a_restart_forgets_are_found() => Found("I1", Mixes.PromiserRestarted, new Mutants.ForgetsPromisesInRestarts());

    [Fact]
    public void A_foreign_holder_that_is_ignored_until_the_next_renewal_is_found() =>
        Found("I1", Mixes.Hands, new Mutants.LooksAwayUntilRenewal());

    [Fact]
    public void A_promotion_before_the_first_acknowledged_renewal_is_found() => Found("I1", Mixes.Promises, new Mutants.ServesUnclaimed());

    [Fact]
    public void A_holder_whom_anybody_may_name_is_found() => Found("I1", Mixes.Hands, new Mutants.ObeysAnybody());

    [Fact]
    public void Belief_in_lower_terms_is_found() => Found("I2", Mixes.Hands, new Mutants.BelievesLowerTerms());

    [Fact]
    public void Terms_that_are_kept_only_once_they_are_acknowledged_are_found() =>
        Found("I1", Mixes.AcceptedUnknowing, new Mutants.KeepsAcknowledgedTermsOnly());

    [Fact]
    public void Promises_that_end_before_the_holder_are_found() => Found("I1", Mixes.Lengthened, new Mutants.PromisesForItsOwnTime());

    [Fact]
    public void Promises_of_somebody_else_are_found() => Found("I1", Mixes.AddressPassedOn, new Mutants.AnswersForOthers());

    [Fact]
    public void A_term_that_is_served_although_it_was_given_up_is_found() =>
        Found("I", Mixes.CrashesInFlight, new Mutants.TakesBackWhatItGave());

    [Fact]
    public void Counting_by_wall_clocks_is_found() => Found("I1", Mixes.Everything, new Mutants.CountsFromRenewTime());

    [Fact]
    public void Counting_from_before_the_operators_start_is_found() => Found("I1", Mixes.Everything, new Mutants.CountsFromBeforeItsStart());

    [Fact]
    public void Counting_the_wanted_duration_is_found() => Found("I1", Mixes.Shortened, new Mutants.CountsWantedDuration());

    [Fact]
    public void A_lease_made_anew_as_is_wanted_now_is_found() => Found("I1", Mixes.DeletedAndShortened, new Mutants.RecreatesAsWanted());

    [Fact]
    public void An_assignment_to_who_never_promised_is_found() => Found("I1", Mixes.Newcomer, new Mutants.AssignsWhoNeverPromised());

    [Fact]
    public void Forgetting_who_promised_is_found() => Found("I1", Mixes.Newcomer, new Mutants.ForgetsWhoPromised());

    [Fact]
    public void A_release_of_the_unclaimed_that_frees_others_is_found() => Found("I1", Mixes.GivenBackUnclaimed, new Mutants.KeepsEveryRelease());

    [Fact]
    public void An_old_release_that_frees_others_is_found() => Found("I1", Mixes.Promises, new Mutants.KeepsOldReleases());

    /// <summary>And the right protocol stands where the mutants fall.</summary>
    [Fact]
    public void What_finds_the_mutants_finds_nothing_in_the_protocol()
    {
        Gen<Schedule>[] mixes =
        [
            Mixes.LateAnswers, Mixes.Everything, Mixes.Timing, Mixes.PromiserRestarted, Mixes.Hands, Mixes.Promises, Mixes.AcceptedUnknowing,
            Mixes.Lengthened, Mixes.AddressPassedOn, Mixes.CrashesInFlight, Mixes.Shortened, Mixes.Newcomer, Mixes.GivenBackUnclaimed,
        ];
        Assert.All(mixes, mix => Assert.Equal((0, null), FirstFound(mix, new HolderRules(), new ElectorRules())));
    }

    /// <summary>Slack is not luck: a T_stop of just below the limit stands.</summary>
    [Fact]
    public void All_but_one_of_the_timings_leave_next_to_no_slack() =>
        Assert.All(LeaseWorld.Timings.Skip(1), t => Assert.InRange(LeaseTimings.Of(t).Slack, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(3)));

    private void Found(string invariant, Gen<Schedule> schedules, HolderRules holder) =>
        Found(invariant, FirstFound(schedules, holder, new ElectorRules()));

    private void Found(string invariant, Gen<Schedule> schedules, ElectorRules elector) =>
        Found(invariant, FirstFound(schedules, new HolderRules(), elector));

    private void Found(string invariant, (int Schedules, string? Violation) found)
    {
        output.WriteLine($"in schedule {found.Schedules}: {found.Violation}");
        Assert.StartsWith(invariant, found.Violation, StringComparison.Ordinal);
    }

    /// <summary>The same schedules every time.</summary>
    private static (int Schedules, string? Violation) FirstFound(Gen<Schedule> schedules, HolderRules holder, ElectorRules elector)
    {
        for (var n = 1; n <= Schedules; n++)
        {
            var schedule = schedules.Generate(new PCG(1, (ulong)n), null, out _);
            if (new LeaseWorld(schedule, holder, elector).Run(untilSteady: false) is { } violation) return (n, violation);
        }
        return (0, null);
    }
}
