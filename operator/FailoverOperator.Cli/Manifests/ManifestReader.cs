using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using FailoverOperator.Api;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Runtime.Kubernetes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace FailoverOperator.Cli.Manifests;

/// <summary>Finds the RedundancyGroup in a manifest of any number of objects. A field that does not exist is an error, as for kubectl
/// apply.</summary>
internal static class ManifestReader
{
    private static readonly JsonSerializerOptions Strict = new(EntityJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <exception cref="CliException">There is none, more than one, or it cannot be read.</exception>
    public static RedundancyGroup Read(string yaml, string path)
    {
        try
        {
            var groups = Documents(yaml).Where(IsGroup).ToList();
            if (groups is not [var only]) throw Wrong(path, groups.Count == 0 ? "there is no RedundancyGroup in it"
                : "there is more than one RedundancyGroup in it");
            var spec = only["spec"].Deserialize<RedundancyGroupSpec>(Strict) ?? throw Wrong(path, "the RedundancyGroup has no spec");
            var metadata = only["metadata"];
            return new RedundancyGroup
            {
                Metadata = new k8s.Models.V1ObjectMeta
                {
                    Name = metadata?["name"]?.ToString() ?? "(no name)",
                    NamespaceProperty = metadata?["namespace"]?.ToString(),
                },
                Spec = spec,
            };
        }
        catch (Exception e) when (e is YamlException or JsonException or InvalidOperationException)
        {
            throw Wrong(path, e.Message, e);
        }
    }

    /// <summary>The objects of a manifest as JSON.</summary>
    internal static IEnumerable<JsonObject> Documents(string yaml)
    {
        var reader = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var parser = new Parser(new StringReader(yaml));
        parser.Consume<YamlDotNet.Core.Events.StreamStart>();
        while (parser.Accept<YamlDotNet.Core.Events.DocumentStart>(out _))
        {
            if (Json(reader.Deserialize(parser)) is JsonObject json) yield return json;
        }
    }

    private static JsonNode? Json(object? yaml) => yaml switch
    {
        null => null,
        IDictionary<object, object?> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString() ?? "", Json(pair.Value)))),
        IList<object?> list => new JsonArray([.. list.Select(Json)]),
        _ => JsonSerializer.SerializeToNode(yaml, yaml.GetType()),
    };

    private static bool IsGroup(JsonObject json) =>
        json["kind"]?.ToString() == "RedundancyGroup" && json["apiVersion"]?.ToString() == $"{ApiGroup.Name}/{ApiGroup.Version}";

    private static CliException Wrong(string path, string problem, Exception? cause = null) => new(ExitCodes.WrongUse, $"{path}: {problem}", cause);
}
