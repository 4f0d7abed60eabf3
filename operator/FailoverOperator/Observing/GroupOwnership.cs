using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>What belongs to a group goes with it.</summary>
public static class GroupOwnership
{
    /// <summary>The owner reference that the operator writes on what it makes for a group.</summary>
    public static V1OwnerReference By(RedundancyGroup group) => new()
    {
        ApiVersion = ResourceKind.Of<RedundancyGroup>().ApiVersion,
        Kind = ResourceKind.Of<RedundancyGroup>().Kind,
        Name = group.Name(),
        Uid = group.Uid(),
        Controller = true,
        BlockOwnerDeletion = false,
    };

    /// <summary>Made for this group, not for one of its name that was before it.</summary>
    public static bool Owns(RedundancyGroup group, V1ObjectMeta metadata) => metadata.OwnerReferences?.Any(o => o.Uid == group.Uid() && o.Controller == true) == true;
}
