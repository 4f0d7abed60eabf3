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
        .. new Seams[]
        {
            new SlotMutants.BindsUnguarded(),
            new SlotMutants.ClaimsBesideOthers(),
            new SlotMutants.FencesInName(),
        }.Select(seams => (seams.GetType().Name, seams, Kind.NPlusM)),
        .. new Seams[] { new SharedMutants.FollowsOldTerms(), new SharedMutants.TakesSilenceForPresence(), new SharedMutants.TakesSilentNodesForLost() }
            .Select(seams => (seams.GetType().Name, seams, Kind.Quorum)),
        .. new Seams[] { new SharedMutants.NeverEjects(), new SharedMutants.ReadmitsAllAtOnce(), new SharedMutants.EjectsTheLast() }
            .Select(seams => (seams.GetType().Name, seams, Kind.ActiveActive)),
    ];
}
