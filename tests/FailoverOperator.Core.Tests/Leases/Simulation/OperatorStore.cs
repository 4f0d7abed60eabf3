using System.Globalization;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>What the operators have written down, in the API server: Failovers, labels, Services.</summary>
internal sealed class OperatorStore
{
    private long _version;

    public IReadOnlyList<FailoverRecord> Failovers { get; private set; } = [];

    public Dictionary<string, (string Role, long? Term)> Labels { get; } = [];

    public long? PublishedTerm { get; set; }

    public string? SelectedPod { get; set; }

    /// <summary>The pod whose server hangs, and until when. Its agent does not.</summary>
    public (string Uid, TimeSpan Until) Hung { get; set; } = ("", TimeSpan.Zero);

    /// <summary>Atomic: of two who claim a term one wins.</summary>
    public bool Create(FailoverSpec plan)
    {
        var name = FormattableString.Invariant($"db-0-{plan.Term}");
        if (Failovers.Any(f => f.Name == name)) return false;
        Failovers = [.. Failovers.Append(new FailoverRecord { Name = name, Spec = plan, Version = NextVersion() }).OrderBy(f => f.Spec.Term)];
        return true;
    }

    public bool Write(FailoverRecord read, Func<FailoverStatus, FailoverStatus> change)
    {
        if (Failovers.FirstOrDefault(f => f.Name == read.Name) is not { } current || current.Version != read.Version) return false;
        Failovers = [.. Failovers.Select(f => f == current ? f with { Status = change(f.Status), Version = NextVersion() } : f)];
        Failovers = [.. Failovers.Except(FailoverHistory.Surplus(Failovers, 10))];
        return true;
    }

    public static FailoverStatus Entering(FailoverStatus status, Step.Enter enter) => status with
    {
        Phase = enter.Phase,
        Reason = enter.Reason,
        Message = enter.Message,
        Candidate = enter.Candidate ?? status.Candidate,
        Rivals = [.. status.Rivals, .. enter.Rivals],
        Fence = enter.Fence is { } evidence ? new FenceRecord { Evidence = evidence, By = enter.FencedBy ?? "" } : status.Fence,
        Steps = enter.Phase == status.Phase ? status.Steps : [.. status.Steps, new StepRecord { Phase = enter.Phase }],
    };

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);
}
