using FailoverOperator.Api.Failovers;
using FailoverOperator.Workload;

namespace FailoverOperator.EndToEnd.Scenarios;

/// <summary>What one fault cost, seen by the client and by the operator.</summary>
/// <param name="Failover">Null: there was none.</param>
/// <param name="Client">Wrote through the Service.</param>
/// <param name="Witness">Wrote to the old primary itself, beside it on its node. Null: there was none.</param>
public sealed record FailoverAccount(Failover? Failover, WriteSummary Client, WriteSummary? Witness = null)
{
    /// <summary>Null: nobody could be asked.</summary>
    public long? LostWrites => Client.LostWrites + (Witness is null ? 0 : Witness.LostWrites);

    public long DualWrites => Workload.DualWrites.Count([.. Client.Tenures, .. Witness?.Tenures ?? []]);

    /// <summary>What the operator measured.</summary>
    public string Phases => Failover?.Status is not { } status ? "no failover"
        : $"phases {string.Join(' ', status.Phases.Select(phase => $"{phase.Name}={phase.Milliseconds}"))} fence={status.Fence?.Evidence}"
        + $" operator_downtime_ms={status.DowntimeMilliseconds} operator_lost_bytes={status.LostBytes?.ToString() ?? "unknown"}";

    /// <summary>The one line that scripts look for.</summary>
    public override string ToString() =>
        (Failover is null ? "no failover" : $"failover name={Failover.Metadata.Name} from={Failover.Spec.From?.Name} to={Failover.Status?.Candidate?.Name} cause={Failover.Spec.Cause}")
        + $" downtime_ms={Client.DowntimeMilliseconds} lost_writes={LostWrites?.ToString() ?? "unknown"} dual_writes={DualWrites}";
}
