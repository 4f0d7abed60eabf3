using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FailoverOperator.Api.Attributes;

namespace FailoverOperator.CrdGenerator;

/// <summary>
/// Brings the schema that .NET exports for a type into Kubernetes' structural form
/// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema):
/// one type for each node, no references, null only by absence; and adds what the attributes of the contract say.
/// </summary>
public sealed class StructuralSchema
{
    /// <summary>How the contract's types look as JSON.</summary>
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private readonly bool _withDefaults;
    private readonly JsonSchemaExporterOptions _exporter;

    private StructuralSchema(bool withDefaults)
    {
        _withDefaults = withDefaults;
        _exporter = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };
    }

    /// <summary>
    /// Schema of an entity's property. <paramref name="withDefaults"/>: initial values become defaults; right for what
    /// users write, wrong for a status, where absent means unknown.
    /// </summary>
    public static JsonObject Of(PropertyInfo property, bool withDefaults)
    {
        var schema = new StructuralSchema(withDefaults).Export(property.PropertyType);
        AddAttributes(schema, property);
        return InReadingOrder(schema);
    }

    private JsonObject Export(Type type) => Json.GetJsonSchemaAsNode(type, _exporter).AsObject();

    private JsonNode Transform(JsonSchemaExporterContext context, JsonNode exported)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;

        // The exporter refers to a type that it has written before; structural schemas repeat it.
        var schema = exported.AsObject().ContainsKey("$ref") ? Export(type) : exported.AsObject();

        SetType(schema, type);
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
            AddRequired(schema, context.TypeInfo);
        AddRules(schema, type);
        if (context.PropertyInfo is { } property)
        {
            AddAttributes(schema, property.AttributeProvider!);
            AddDefault(schema, property);
        }

        return InReadingOrder(schema);
    }

    private static void SetType(JsonObject schema, Type type)
    {
        if (type.IsEnum)
        {
            schema["type"] = "string";
            schema["enum"] = new JsonArray([.. schema["enum"]!.AsArray().Where(value => value is not null).Select(value => value!.DeepClone())]);
        }
        else if (schema["type"] is JsonArray types)
        {
            schema["type"] = types.Single(name => name!.GetValue<string>() != "null")!.DeepClone();
        }

        if (type == typeof(int))
            schema["format"] = "int32";
        else if (type == typeof(long))
            schema["format"] = "int64";
    }

    private static void AddRequired(JsonObject schema, JsonTypeInfo type)
    {
        var required = type.Properties.Where(IsRequired).Select(property => (JsonNode)property.Name).ToArray();
        if (required.Length > 0)
            schema["required"] = new JsonArray(required);
    }

    private void AddDefault(JsonObject schema, JsonPropertyInfo property)
    {
        // A value that is left out when it is written means that there is none.
        if (!_withDefaults || IsRequired(property) || property.ShouldSerialize is not null)
            return;

        // Absent means the same as empty: a default would only make objects longer (and 1.20 API servers that were built
        // by a current Go compiler take an empty string for null and refuse it).
        var initial = property.Get!(Activator.CreateInstance(property.DeclaringType)!);
        if (initial is null or "" or System.Collections.ICollection { Count: 0 })
            return;

        // API servers fill the fields of a default in turn, so an object's own defaults are not repeated here.
        schema["default"] = schema.ContainsKey("properties")
            ? EmptyObject(schema, property)
            : JsonSerializer.SerializeToNode(initial, property.PropertyType, Json);
    }

    private static JsonObject EmptyObject(JsonObject schema, JsonPropertyInfo property) =>
        schema.ContainsKey("required")
            ? throw new InvalidOperationException(
                $"{property.DeclaringType}.{property.Name} has an initial value, yet fields that must be given: mark it [Required] or make it nullable")
            : [];

    private static void AddAttributes(JsonObject schema, ICustomAttributeProvider property)
    {
        foreach (var attribute in property.GetCustomAttributes(false))
            AddAttribute(schema, attribute);

        // Server-side apply must know how to merge a list; what does not say is replaced as a whole.
        if (schema["type"]!.GetValue<string>() == "array" && !schema.ContainsKey("x-kubernetes-list-type"))
            schema["x-kubernetes-list-type"] = "atomic";
        AddRules(schema, property);
    }

    private static void AddAttribute(JsonObject schema, object attribute)
    {
        switch (attribute)
        {
            case DescriptionAttribute description:
                schema["description"] = description.Description;
                break;
            case RangeMinimumAttribute range:
                schema["minimum"] = range.Minimum;
                break;
            case RangeMaximumAttribute range:
                schema["maximum"] = range.Maximum;
                break;
            case PatternAttribute pattern:
                schema["pattern"] = pattern.RegexPattern;
                break;
            case LengthAttribute length:
                SetBounds(schema["items"]?.AsObject() ?? schema, "minLength", length.MinLength, "maxLength", length.MaxLength);
                break;
            case ItemsAttribute items:
                SetBounds(schema, "minItems", items.MinItems, "maxItems", items.MaxItems);
                break;
            case ListSetAttribute:
                schema["x-kubernetes-list-type"] = "set";
                break;
            case ListMapKeyAttribute map:
                schema["x-kubernetes-list-type"] = "map";
                schema["x-kubernetes-list-map-keys"] = new JsonArray(map.Key);
                break;
        }
    }

    private static void SetBounds(JsonObject schema, string minimumKey, int minimum, string maximumKey, int maximum)
    {
        if (minimum > 0)
            schema[minimumKey] = minimum;
        if (maximum < int.MaxValue)
            schema[maximumKey] = maximum;
    }

    private static void AddRules(JsonObject schema, ICustomAttributeProvider carrier)
    {
        var rules = carrier.GetCustomAttributes(typeof(ValidationRuleAttribute), false).Cast<ValidationRuleAttribute>().ToList();
        if (rules.Count == 0)
            return;

        var list = schema["x-kubernetes-validations"]?.DeepClone().AsArray() ?? [];
        foreach (var rule in rules)
            list.Add(new JsonObject { ["rule"] = rule.Rule, ["message"] = rule.Message });
        schema["x-kubernetes-validations"] = list;
    }

    private static bool IsRequired(JsonPropertyInfo property) => property.AttributeProvider!.IsDefined(typeof(RequiredAttribute), false);

    /// <summary>What the field is, then its bounds, then its parts.</summary>
    private static JsonObject InReadingOrder(JsonObject schema)
    {
        string[] first = ["description", "type", "format", "default", "enum"];
        string[] last = ["items", "properties", "required", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations"];
        var between = schema.Select(entry => entry.Key).Except([.. first, .. last]).Order(StringComparer.Ordinal);
        return new JsonObject(first.Concat(between).Concat(last)
            .Where(schema.ContainsKey)
            .Select(key => KeyValuePair.Create(key, schema[key]?.DeepClone())));
    }
}
