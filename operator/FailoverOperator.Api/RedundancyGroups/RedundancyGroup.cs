using FailoverOperator.Api.Attributes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What the user wants of one stateful workload's redundancy, and what is.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = "RedundancyGroup", PluralName = "redundancygroups")]
[KubernetesEntityShortNames("rg")]
[Categories("failover")]
[Description("A stateful workload of which exactly the right members are kept active: who is primary, who can take over, and how fast.")]
[GenericAdditionalPrinterColumn(".spec.mode", "Mode", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.active", "Active", "string", Description = "The member that takes the writes; in mode NPlusM those of all slots, by number, in mode ActiveActive all that take traffic.")]
[GenericAdditionalPrinterColumn(".status.slots[0].term", "Term", "integer", Priority = 1, Description = "Grows by one with each change of the primary.")]
[GenericAdditionalPrinterColumn(".status.sparesReady", "Ready", "integer", Description = "Standbys that could be promoted now.")]
[GenericAdditionalPrinterColumn(".spec.spares", "Spares", "integer", Description = "Standbys that are wanted.")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Available\")].status", "Available", "string")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"Redundant\")].status", "Redundant", "string")]
[GenericAdditionalPrinterColumn(".status.failoverReadiness.candidate", "Candidate", "string", Description = "Who would take over now.")]
[GenericAdditionalPrinterColumn(".status.lastFailover.name", "Last-Failover", "string", Priority = 1)]
[GenericAdditionalPrinterColumn(".status.lastFailover.downtimeMilliseconds", "Downtime-Ms", "integer", Description = "Downtime of the last failover.")]
[GenericAdditionalPrinterColumn(".status.conditions[?(@.type==\"TargetsMet\")].status", "Targets-Met", "string")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
public sealed class RedundancyGroup : IKubernetesObject<V1ObjectMeta>, ISpec<RedundancyGroupSpec>, IStatus<RedundancyGroupStatus?>
{
    public string ApiVersion { get; set; } = ApiGroup.Name + "/" + ApiGroup.Version;

    public string Kind { get; set; } = "RedundancyGroup";

    public V1ObjectMeta Metadata { get; set; } = new();

    [Required]
    [Description("What is wanted.")]
    public RedundancyGroupSpec Spec { get; set; } = new();

    [Description("What is. Written by the operator only.")]
    public RedundancyGroupStatus? Status { get; set; }
}
