using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Manifests;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;

namespace FailoverOperator.Cli.Tests.Support;

/// <summary>Puts what a YAML file has into a cluster, status and all.</summary>
internal static class ClusterYaml
{
    public static void SeedYaml(this FakeKubernetesApi cluster, string yaml)
    {
        foreach (var json in ManifestReader.Documents(yaml))
        {
            switch (json["kind"]!.ToString())
            {
                case "RedundancyGroup":
                    cluster.Seed(EntityJson.Deserialize<RedundancyGroup>(json.ToJsonString()));
                    break;
                case "Failover":
                    cluster.Seed(EntityJson.Deserialize<Failover>(json.ToJsonString()));
                    break;
                case "Event":
                    cluster.Seed(EntityJson.Deserialize<Eventsv1Event>(json.ToJsonString()));
                    break;
                case var kind:
                    throw new ArgumentException($"{kind} is not foreseen here");
            }
        }
    }
}
