using System.Text.Json.Nodes;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using YamlDotNet.Serialization;

namespace FailoverOperator.Cli.Tests.Support;

/// <summary>Puts what a YAML file has into a cluster, status and all.</summary>
internal static class ClusterYaml
{
    public static void SeedYaml(this FakeKubernetesApi cluster, string yaml)
    {
        var reader = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var writer = new SerializerBuilder().JsonCompatible().Build();
        foreach (var text in yaml.Split("---\n"))
        {
            if (reader.Deserialize(new StringReader(text)) is not { } document) continue;
            var json = writer.Serialize(document);
            switch (JsonNode.Parse(json)!["kind"]!.ToString())
            {
                case "RedundancyGroup":
                    cluster.Seed(EntityJson.Deserialize<RedundancyGroup>(json));
                    break;
                case "Failover":
                    cluster.Seed(EntityJson.Deserialize<Failover>(json));
                    break;
                case "Event":
                    cluster.Seed(EntityJson.Deserialize<Eventsv1Event>(json));
                    break;
                case var kind:
                    throw new ArgumentException($"{kind} is not foreseen here");
            }
        }
    }
}
