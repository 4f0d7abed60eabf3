using System.Text.Json.Nodes;
using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>Namespace, labels (<c>a=b, a==b, a!=b, a, !a</c>) and fields (<c>metadata.name=x, status.phase!=y</c>).</summary>
internal sealed class Selector(string? namespaceName, ListOptions options)
{
    private readonly (string Key, string? Value, bool IsEqual)[] _labels = Terms(options.LabelSelector);
    private readonly (string Key, string? Value, bool IsEqual)[] _fields = Terms(options.FieldSelector);

    public bool Matches(JsonObject json) =>
        (string.IsNullOrEmpty(namespaceName) || Text(json["metadata"]?["namespace"]) == namespaceName)
        && Array.TrueForAll(_labels, term => Holds(term, key => Text(json["metadata"]?["labels"]?[key])))
        && Array.TrueForAll(_fields, term => Holds(term, path => Text(Walk(json, path)) ?? ""));

    private static bool Holds((string Key, string? Value, bool IsEqual) term, Func<string, string?> value)
    {
        var (key, wanted, isEqual) = term;
        if (wanted is not null)
            return value(key) == wanted == isEqual;
        return key.StartsWith('!') ? value(key[1..]) is null : value(key) is not null;
    }

    private static (string Key, string? Value, bool IsEqual) Split(string term)
    {
        if (term.Contains(" in ", StringComparison.Ordinal) || term.Contains(" notin ", StringComparison.Ordinal))
            throw new NotSupportedException($"the fake API server does not know set selectors: {term}");
        foreach (var (sign, isEqual) in new[] { ("!=", false), ("==", true), ("=", true) })
        {
            var at = term.IndexOf(sign, StringComparison.Ordinal);
            if (at >= 0)
                return (term[..at].Trim(), term[(at + sign.Length)..].Trim(), isEqual);
        }

        return (term, null, true);
    }

    private static JsonNode? Walk(JsonNode? json, string path)
    {
        foreach (var name in path.Split('.'))
            json = json?[name];
        return json;
    }

    private static string? Text(JsonNode? json) => json?.ToString();

    private static (string Key, string? Value, bool IsEqual)[] Terms(string? selector) =>
        [.. (selector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Split)];
}
