using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// How entities are written as JSON and read. KubernetesClient's own rules (camel case, nulls omitted, IntOrString,
/// quantities), with enums as strings by their exact names and times always with six digits of fraction.
/// </summary>
public static class EntityJson
{
    public static JsonSerializerOptions Options { get; } = Build();

    public static string Serialize(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);

    /// <summary>Reads <paramref name="json"/>; null JSON is a <see cref="JsonException"/>.</summary>
    public static T Deserialize<T>(JsonElement json) =>
        json.Deserialize<T>(Options) ?? throw new JsonException($"null where a {typeof(T).Name} should be");

    /// <inheritdoc cref="Deserialize{T}(JsonElement)"/>
    public static T Deserialize<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException($"null where a {typeof(T).Name} should be");

    /// <summary>A deep copy, to change what a cache has handed out.</summary>
    public static T Copy<T>(T entity)
        where T : notnull => Deserialize<T>(Serialize(entity));

    private static JsonSerializerOptions Build()
    {
        JsonSerializerOptions? options = null;
        KubernetesJson.AddJsonOptions(theirs => options = new JsonSerializerOptions(theirs));
        options!.Converters.Insert(0, new MicroTimeConverter());
        options.Converters.Insert(0, new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false));
        options.MakeReadOnly();
        return options;
    }

    /// <summary>
    /// metav1.MicroTime accepts exactly six digits of fraction, also for a whole second; metav1.Time accepts any number.
    /// </summary>
    private sealed class MicroTimeConverter : JsonConverter<DateTime>
    {
        private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            DateTime.TryParse(reader.GetString(), CultureInfo.InvariantCulture,
                DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : throw new JsonException($"not a time: {reader.GetString()}");

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToUniversalTime().ToString(Format, CultureInfo.InvariantCulture));
    }
}
