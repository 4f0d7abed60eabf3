using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using k8s.Models;

namespace FailoverOperator.Integration;

/// <summary>Objects that the tests write.</summary>
public static class Samples
{
    public static V1ConfigMap ConfigMap(string namespaceName, string name, string value = "1") => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = namespaceName, Name = name, Labels = new Dictionary<string, string> { ["kind"] = "sample" } },
        Data = new Dictionary<string, string> { ["value"] = value },
    };

    public static Failover Failover(string namespaceName, string group, long term) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = namespaceName, Name = $"{group}-0-{term}" },
        Spec = new FailoverSpec
        {
            GroupRef = new GroupReference { Name = group },
            Slot = ApiGroup.FirstSlot,
            Term = term,
            Type = FailoverType.Failover,
            Cause = FailoverCause.PrimaryProcessDown,
        },
    };
}
