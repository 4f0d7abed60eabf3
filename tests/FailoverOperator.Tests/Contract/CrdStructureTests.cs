using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FailoverOperator.Api;

namespace FailoverOperator.Tests.Contract;

/// <summary>The CRDs keep to what API servers from 1.20 on accept, and to Kubernetes' conventions.</summary>
public sealed class CrdStructureTests
{
    /// <summary>
    /// All else is either forbidden in a structural schema (<c>$ref</c>, <c>additionalProperties</c> beside properties, a list of
    /// types, <c>null</c>), or unknown to <see cref="SchemaCheck"/>.
    /// </summary>
    private static readonly string[] Keywords =
    [
        "description", "type", "format", "default", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems",
        "items", "properties", "required", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations",
    ];

    public static TheoryData<string> Kinds => ["redundancygroups", "failovers"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_node_has_one_type_and_known_keywords(string kind) => Assert.All(Nodes(Manifest.SchemaOf(kind), kind), node =>
    {
        Assert.Contains(node.Schema["type"]!.GetValue<string>(), new[] { "object", "array", "string", "integer", "boolean" });
        Assert.Subset(Keywords.ToHashSet(), node.Schema.Select(entry => entry.Key).ToHashSet());
        Assert.Equal(node.Schema["type"]!.GetValue<string>() == "array", node.Schema.ContainsKey("items"));
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_required_field_exists_and_has_no_default(string kind) => Assert.All(Nodes(Manifest.SchemaOf(kind), kind), node =>
    {
        foreach (var name in (node.Schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>()))
            Assert.False(node.Schema["properties"]![name]!.AsObject().ContainsKey("default"), $"{node.Path}.{name}");
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_default_is_valid_once_it_is_filled_in(string kind) => Assert.All(Nodes(Manifest.SchemaOf(kind), kind), node =>
    {
        if (node.Schema["default"] is { } initial)
            Assert.Empty(SchemaCheck.Validate(node.Schema, SchemaCheck.WithDefaults(node.Schema, initial), node.Path));
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_enum_value_is_camel_case(string kind)
    {
        var values = Nodes(Manifest.SchemaOf(kind), kind).SelectMany(node => node.Schema["enum"]?.AsArray() ?? []).Select(value => value!.GetValue<string>()).ToList();
        Assert.NotEmpty(values);
        Assert.All(values.Except(["apps/v1"]), value => Assert.Matches("^[A-Z][A-Za-z0-9]+$", value));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_printer_column_shows_a_field_of_its_type(string kind)
    {
        var columns = Manifest.Crd(kind)["additionalPrinterColumns"]!.AsArray();
        Assert.All(columns, column =>
        {
            var path = column!["jsonPath"]!.GetValue<string>();
            var type = path == ".metadata.creationTimestamp" ? "date" : Find(Manifest.SchemaOf(kind), path)["type"]!.GetValue<string>();
            Assert.Equal(type, column["type"]!.GetValue<string>());
        });
    }

    private static JsonObject Find(JsonObject schema, string jsonPath)
    {
        var steps = Regex.Matches(jsonPath, """\.(?<field>\w+)(?<item>\[0\]|\[\?\(@\.type=="(?<condition>\w+)"\)\])?""");
        Assert.Equal(jsonPath, string.Concat(steps.Select(step => step.Value)));
        foreach (Match step in steps)
        {
            schema = Assert.IsType<JsonObject>(schema["properties"]?[step.Groups["field"].Value]);
            if (step.Groups["item"].Success) schema = schema["items"]!.AsObject();
            if (step.Groups["condition"].Success) Assert.Contains(step.Groups["condition"].Value, ConditionTypes.All);
        }

        return schema;
    }

    private static IEnumerable<(string Path, JsonObject Schema)> Nodes(JsonObject schema, string path)
    {
        var parts = (schema["properties"]?.AsObject() ?? []).Select(property => ($"{path}.{property.Key}", property.Value!.AsObject())).ToList();
        if (schema["items"] is JsonObject items) parts.Add(($"{path}[]", items));
        return parts.SelectMany(part => Nodes(part.Item2, part.Item1)).Prepend((path, schema));
    }
}
