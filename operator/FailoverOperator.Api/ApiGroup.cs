namespace FailoverOperator.Api;

/// <summary>Names that are part of the contract: API group, labels, annotations, field manager.</summary>
public static class ApiGroup
{
    public const string Name = "failover-operator.io";
    public const string Version = "v1alpha1";

    /// <summary>Field manager of every write of the operator.</summary>
    public const string FieldManager = "failover-operator";

    /// <summary>Label of member pods and failovers: the name of their group.</summary>
    public const string GroupLabel = Name + "/group";

    /// <summary>Label of member pods, and what the selectors of the group's Services ask for. Values: <see cref="RoleLabels"/>.</summary>
    public const string RoleLabel = Name + "/role";

    /// <summary>Label of member pods and failovers: the slot.</summary>
    public const string SlotLabel = Name + "/slot";

    /// <summary>
    /// Label of the active pod, annotation of its Services: the highest term ever published there, a whole number.
    /// </summary>
    public const string TermLabel = Name + "/term";

    /// <summary>
    /// Annotation that a person sets on a blocked failover to state, having made sure, that the old primary cannot write.
    /// Its value is the old primary's pod name.
    /// </summary>
    public const string FenceConfirmedAnnotation = Name + "/fence-confirmed";

    /// <summary>
    /// Annotation that a person sets to <c>true</c> on a failover that waits for approval (<c>promotion.policy: ApprovalRequired</c>).
    /// </summary>
    public const string ApprovedAnnotation = Name + "/approved";

    /// <summary>
    /// Annotation that a person sets on a group whose budget of failovers is used up (<c>protection.maxFailoversPerHour</c>). Its value is the name of
    /// the last failover: it and those before it are not counted any more.
    /// </summary>
    public const string AcknowledgedAnnotation = Name + "/acknowledged";

    /// <summary>
    /// Annotation that a person sets on a group to accept that its next failover loses writes, or nobody knows how many
    /// (<c>promotion.dataLoss</c>). Its value is the name of the failover that made the failed primary one, and when that was heard last, as the blocked
    /// condition tells it, so that it says nothing about any later primary or failure; of several slots several, with commas between them.
    /// </summary>
    public const string DataLossAcceptedAnnotation = Name + "/data-loss-accepted";

    /// <summary>
    /// Annotation of a member pod: when its eviction was asked for last, RFC 3339. Written by the operator's webhook; whoever evicts in a way of
    /// his own may write it as well.
    /// </summary>
    public const string EvictionRequestedAnnotation = Name + "/eviction-requested-at";

    /// <summary>
    /// Label by which Kubernetes itself tells the pods of a StatefulSet apart. Selectors of Services for the primary ask for it beside the
    /// role: a new pod of the same name has no role yet.
    /// </summary>
    public const string PodNameLabel = "statefulset.kubernetes.io/pod-name";

    /// <summary>Label of the leases by which the operator's own replicas know each other.</summary>
    public const string ReplicaLabel = Name + "/replica";

    /// <summary>The only slot of a group in mode <c>ActivePassive</c>, and the first one of others.</summary>
    public const string FirstSlot = "0";
}

/// <summary>Values of <see cref="ApiGroup.RoleLabel"/>.</summary>
public static class RoleLabels
{
    public const string Active = "active";
    public const string Standby = "standby";
    public const string Spare = "spare";
    public const string Fenced = "fenced";
}
