using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace FailoverOperator.CrdGenerator;

/// <summary>Writes JSON as block-style YAML, keys in the order they have.</summary>
public static class Yaml
{
    // Quoting: kubectl reads YAML 1.1, where a bare True (a condition's status) is no string.
    private static readonly ISerializer Serializer = new SerializerBuilder()
        .WithQuotingNecessaryStrings(quoteYaml1_1Strings: true)
        .WithNewLine("\n")
        .DisableAliases()
        .Build();

    public static string Write(JsonObject node) => Serializer.Serialize(Plain(node)!);

    private static object? Plain(JsonNode? node) => node switch
    {
        null => null,
        JsonObject map => new OrderedDictionary<string, object?>(map.Select(entry => KeyValuePair.Create(entry.Key, Plain(entry.Value)))),
        JsonArray list => list.Select(Plain).ToList(),
        _ => Scalar(node),
    };

    private static object Scalar(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.String => node.GetValue<string>(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => long.Parse(node.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"cannot write {node.GetPath()}", nameof(node)),
    };
}
