using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The pods of a workload that can be scaled, as its subresource scale tells: labels with the values that they must have.</summary>
/// <param name="Labels">None: it selects nothing.</param>
public sealed record PodSelector(IReadOnlyList<KeyValuePair<string, string>> Labels)
{
    public static PodSelector Nothing { get; } = new([]);

    /// <summary>Null: it is not a list of equalities, or empty.</summary>
    public static PodSelector? Parse(string? text)
    {
        var terms = (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var labels = terms.Select(Term).ToList();
        return labels.Count > 0 && labels.All(l => l is not null) ? new([.. labels.Select(l => l!.Value)]) : null;
    }

    public bool Matches(V1Pod pod) => Labels.Count > 0
        && Labels.All(l => pod.Metadata.Labels?.TryGetValue(l.Key, out var value) == true && value == l.Value);

    private static KeyValuePair<string, string>? Term(string term) =>
        term.Replace("==", "=", StringComparison.Ordinal).Split('=') is [{ Length: > 0 } key, var value] && key.IndexOfAny(['!', '(', ' ', '<', '>']) < 0 ? new(key, value) : null;
}
