using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using YamlDotNet.Serialization;

namespace FailoverOperator.Cli.Printing;

/// <summary>The same views for machines. What is unknown is null, and is never left out.</summary>
internal static class Documents
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // Into terminals and pipes, not into web pages: names and messages stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly JsonSerializerOptions OneLine = new(Options) { WriteIndented = false };

    public static string Json(object view) => JsonSerializer.Serialize(view, view.GetType(), Options);

    /// <summary>On one line, for a stream of them.</summary>
    public static string JsonLine(object view) => JsonSerializer.Serialize(view, view.GetType(), OneLine);

    public static string Yaml(object view) =>
        new SerializerBuilder().WithQuotingNecessaryStrings().Build()
            .Serialize(Plain(JsonSerializer.SerializeToNode(view, view.GetType(), Options))!).TrimEnd();

    private static object? Plain(JsonNode? node) => node switch
    {
        null => null,
        JsonObject map => map.ToDictionary(pair => pair.Key, pair => Plain(pair.Value)),
        JsonArray list => list.Select(Plain).ToList(),
        JsonValue value => Plain(value.GetValue<JsonElement>()),
        _ => throw new ArgumentOutOfRangeException(nameof(node), node, "unknown kind of JSON"),
    };

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number when value.TryGetInt64(out var whole) => whole,
        JsonValueKind.Number => value.GetDouble(),
        _ => value.GetString(),
    };
}
