using System.Text.Json;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Hooks;

/// <summary>The status answer of a hook, read strictly: what cannot be understood is an error that says why.</summary>
internal static class HookStatus
{
    private static readonly string[] Fields =
    [
        "role", "writable", "instance", "positionBytes", "lagBytes", "link", "linkDownSeconds", "followsAddress", "isEmpty", "message", "term",
    ];

    public static EngineReply Parse(string hook, string answer)
    {
        if (string.IsNullOrWhiteSpace(answer))
            return new EngineReply.Failed($"{hook} answered nothing: it must print a JSON object with role and writable");
        try
        {
            using var document = JsonDocument.Parse(answer);
            return new EngineReply.Answered(Read(document.RootElement));
        }
        catch (JsonException)
        {
            return new EngineReply.Failed($"{hook} answered what is not JSON: {Quote.Of(answer)}");
        }
        catch (FormatException exception)
        {
            return new EngineReply.Failed($"{hook} answered {exception.Message}");
        }
    }

    private static EngineStatus Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new FormatException("JSON that is not an object");
        foreach (var property in root.EnumerateObject())
            if (!Fields.Contains(property.Name))
                throw new FormatException($"an unknown field '{Quote.Of(property.Name)}'; known are {string.Join(", ", Fields)}");
        return new EngineStatus
        {
            Role = Enum<EngineRole>(root, "role") ?? throw new FormatException("no role"),
            Writable = Bool(root, "writable") ?? throw new FormatException("no writable"),
            Instance = Instance(root),
            PositionBytes = Number(root, "positionBytes"),
            ReportedLagBytes = Number(root, "lagBytes"),
            Link = Enum<ReplicationLink>(root, "link") ?? ReplicationLink.Unknown,
            LinkDownFor = Number(root, "linkDownSeconds") is { } seconds ? Seconds(seconds) : null,
            FollowsAddress = Text(root, "followsAddress") is { Length: > 0 } address ? address : null,
            IsEmpty = Bool(root, "isEmpty"),
            Term = Number(root, "term"),
            Message = Text(root, "message"),
        };
    }

    /// <summary>A Failover names the instance that it fences, so it must fit there; cut, it would name another one.</summary>
    private static string? Instance(JsonElement root) =>
        Text(root, "instance") is { Length: > MemberReference.MaxInstanceLength }
            ? throw new FormatException($"an instance of more than {MemberReference.MaxInstanceLength} characters")
            : Text(root, "instance");

    private static JsonElement? Field(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static T? Enum<T>(JsonElement root, string name)
        where T : struct, Enum
    {
        if (Text(root, name) is not { } text)
            return null;
        foreach (var value in System.Enum.GetValues<T>())
            if (value.ToString() == text)
                return value;
        throw new FormatException($"{name} '{Quote.Of(text)}'; it must be one of {string.Join(", ", System.Enum.GetNames<T>())}");
    }

    private static string? Text(JsonElement root, string name) => Field(root, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw new FormatException($"{name} that is not a string"),
    };

    private static bool? Bool(JsonElement root, string name) => Field(root, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        _ => throw new FormatException($"{name} that is not true or false"),
    };

    private static long? Number(JsonElement root, string name)
    {
        if (Field(root, name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
            throw new FormatException($"{name} that is not a whole number");
        return number >= 0 ? number : throw new FormatException($"a negative {name} ({number})");
    }

    private static TimeSpan Seconds(long seconds) =>
        seconds <= TimeSpan.MaxValue.TotalSeconds - 1
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException($"linkDownSeconds that is too large ({seconds})");
}
