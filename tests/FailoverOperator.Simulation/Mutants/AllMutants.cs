using FailoverOperator.Simulator;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Every deliberate mistake, by name.</summary>
internal static class AllMutants
{
    public static IReadOnlyList<(string Name, Seams Seams, Kind Kind)> All { get; } =
    [
        .. new Seams[]
        {
            new AgentMutants.TakesSilenceForAcknowledgement(),
            new AgentMutants.ReleasesBeforeTheEnd(),
            new AgentMutants.WaitsForNoStandby(),
            new AgentMutants.WaitsForStandbysTooLate(),
            new AgentMutants.ReusesTimelines(),
            new AgentMutants.TakesSilenceForPromises(),
            new AgentMutants.AsksOneMemberOnly(),
            new AgentMutants.HasNoWatchdog(),
            new AgentMutants.NeverRewinds(),
            new AgentMutants.StopsLate(0.6),
            new AgentMutants.DoesNotWatch(),
            new OperatorMutants.WritesLeasesUnguarded(),
            new OperatorMutants.CountsTooFast(1.6),
            new OperatorMutants.ForgetsToPersist(),
            new OperatorMutants.PromotesBeforeTheFence(),
            new OperatorMutants.TellsOfReleasesThatNeverWere(),
            new OperatorMutants.ReusesTerms(),
            new OperatorMutants.AsksForNoSynchrony(),
            new OperatorMutants.PointsServicesUnguarded(),
            new OperatorMutants.ConfirmsFromMemory(),
            new OperatorMutants.ChoosesFromOldAnswers(),
            new OperatorMutants.TakesUnknownForEnough(),
        }.Select(seams => (seams.GetType().Name, seams, Kind.Usual)),
        .. new Seams[] { new PolicyMutants.IgnoresBrakes(), new PolicyMutants.FailsBackAtOnce() }.Select(seams => (seams.GetType().Name, seams, Kind.Planned)),
    ];
}
