using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FailoverOperator.Tests.Contract;

/// <param name="Path">Of the field that is wrong, such as <c>spec.traffic.services[0].role</c>.</param>
/// <param name="Keyword">Of the schema, or <c>unknown</c>: there is no such field.</param>
internal sealed record SchemaError(string Path, string Keyword);

/// <summary>What an API server does with a custom resource: fill in defaults, then validate. It knows the keywords that our CRDs use.</summary>
internal static class SchemaCheck
{
    public static JsonNode WithDefaults(JsonObject schema, JsonNode value)
    {
        var filled = value.DeepClone();
        Fill(schema, filled);
        return filled;
    }

    public static IEnumerable<SchemaError> Validate(JsonObject schema, JsonNode? value, string path = "")
    {
        if (!HasType(value, schema["type"]!.GetValue<string>()))
            return [new(path, "type")];
        return value switch
        {
            JsonObject map => OfObject(schema, map, path),
            JsonArray list => OfList(schema, list, path),
            _ => OfScalar(schema, value!, path),
        };
    }

    private static void Fill(JsonObject schema, JsonNode? value)
    {
        if (value is JsonArray list)
            foreach (var item in list)
                Fill(schema["items"]!.AsObject(), item);
        if (value is not JsonObject map || schema["properties"] is not JsonObject properties)
            return;
        foreach (var (name, property) in properties)
        {
            if (!map.ContainsKey(name) && property!["default"] is { } initial)
                map[name] = initial.DeepClone();
            Fill(property!.AsObject(), map[name]);
        }
    }

    private static bool HasType(JsonNode? value, string type) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => long.TryParse(value!.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        _ => false,
    };

    private static IEnumerable<SchemaError> OfObject(JsonObject schema, JsonObject map, string path)
    {
        if (schema["properties"] is not JsonObject properties)
            return [];
        var missing = (schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>()).Where(name => !map.ContainsKey(name));
        var unknown = map.Select(field => field.Key).Where(name => !properties.ContainsKey(name));
        return missing.Select(name => new SchemaError(Join(path, name), "required"))
            .Concat(unknown.Select(name => new SchemaError(Join(path, name), "unknown")))
            .Concat(map.Where(field => properties.ContainsKey(field.Key))
                .SelectMany(field => Validate(properties[field.Key]!.AsObject(), field.Value, Join(path, field.Key))));
    }

    private static IEnumerable<SchemaError> OfList(JsonObject schema, JsonArray list, string path)
    {
        if (list.Count < Bound(schema, "minItems", 0)) yield return new(path, "minItems");
        if (list.Count > Bound(schema, "maxItems", long.MaxValue)) yield return new(path, "maxItems");
        var keys = list.Select(item => Key(schema, item!)).OfType<string>().ToList();
        if (keys.Distinct().Count() < keys.Count) yield return new(path, "x-kubernetes-list-type");
        var errors = list.SelectMany((item, i) => Validate(schema["items"]!.AsObject(), item, $"{path}[{i}]"));
        foreach (var error in errors) yield return error;
    }

    /// <summary>What must be unique in the list. Null: nothing.</summary>
    private static string? Key(JsonObject schema, JsonNode item) => schema["x-kubernetes-list-type"]?.GetValue<string>() switch
    {
        "set" => item.ToJsonString(),
        "map" => string.Join(',', schema["x-kubernetes-list-map-keys"]!.AsArray().Select(key => item[key!.GetValue<string>()]?.ToJsonString())),
        _ => null,
    };

    private static IEnumerable<SchemaError> OfScalar(JsonObject schema, JsonNode value, string path)
    {
        if (schema["enum"] is JsonArray allowed && !allowed.Any(one => JsonNode.DeepEquals(one, value))) yield return new(path, "enum");
        if (value.GetValueKind() == JsonValueKind.Number)
        {
            var number = long.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
            if (number < Bound(schema, "minimum", long.MinValue)) yield return new(path, "minimum");
            if (number > Bound(schema, "maximum", long.MaxValue)) yield return new(path, "maximum");
        }

        if (value.GetValueKind() == JsonValueKind.String)
        {
            var text = value.GetValue<string>();
            if (text.Length < Bound(schema, "minLength", 0)) yield return new(path, "minLength");
            if (text.Length > Bound(schema, "maxLength", long.MaxValue)) yield return new(path, "maxLength");
            if (schema["pattern"] is { } pattern && !Regex.IsMatch(text, pattern.GetValue<string>())) yield return new(path, "pattern");
        }
    }

    private static long Bound(JsonObject schema, string keyword, long none) =>
        schema[keyword] is { } bound ? long.Parse(bound.ToJsonString(), CultureInfo.InvariantCulture) : none;

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
