using FailoverOperator.Api.Attributes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Api.Failovers;

/// <summary>
/// One change of the primary: the claim to make it and the record of it. Named <c>group-slot-term</c>, so that
/// creating it is atomic: only one writer can win a term.
/// </summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = "Failover", PluralName = "failovers")]
[KubernetesEntityShortNames("fo")]
[Categories("failover")]
[Description("One change of the primary, with the time of each of its phases. Created by the operator, kept as a record.")]
[GenericAdditionalPrinterColumn(".spec.groupRef.name", "Group", "string")]
[GenericAdditionalPrinterColumn(".spec.type", "Type", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".spec.cause", "Cause", "string")]
[GenericAdditionalPrinterColumn(".spec.from.name", "From", "string")]
[GenericAdditionalPrinterColumn(".status.candidate.name", "To", "string")]
[GenericAdditionalPrinterColumn(".status.phase", "Phase", "string")]
[GenericAdditionalPrinterColumn(".status.reason", "Reason", "string")]
[GenericAdditionalPrinterColumn(".status.fence.evidence", "Fence", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.downtimeMilliseconds", "Downtime-Ms", "integer")]
[GenericAdditionalPrinterColumn(".status.lostBytes", "Lost-Bytes", "integer")]
[GenericAdditionalPrinterColumn(".status.targets", "Targets", "string")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
public sealed class Failover : IKubernetesObject<V1ObjectMeta>, ISpec<FailoverSpec>, IStatus<FailoverStatus?>
{
    public string ApiVersion { get; set; } = ApiGroup.Name + "/" + ApiGroup.Version;

    public string Kind { get; set; } = "Failover";

    public V1ObjectMeta Metadata { get; set; } = new();

    [Required]
    [Description("What is to be done and why. Immutable.")]
    public FailoverSpec Spec { get; set; } = new();

    [Description("How far it is. Written by the operator only.")]
    public FailoverStatus? Status { get; set; }
}
