using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FailoverOperator.Tests.Contract;

/// <summary>
/// The rules as the API server runs them. To ask for a field that is not there is an error in CEL, and an object whose rule ends in an error is
/// refused, whatever the rule was about: what has no default is asked for with <c>has</c> first.
/// </summary>
public sealed class CelRulesTests
{
    private static readonly JsonObject Spec = Manifest.SchemaOf("redundancygroups")["properties"]!["spec"]!.AsObject();

    private static IEnumerable<string> Rules => Spec["x-kubernetes-validations"]!.AsArray().Select(rule => rule!["rule"]!.GetValue<string>());

    [Fact]
    public void No_rule_asks_for_a_list_that_may_be_absent_without_looking_first()
    {
        var unguarded = Rules.SelectMany(rule => Regex.Matches(rule, @"(self(?:\.[a-zA-Z]+)+)\.(?:size|exists|all)\(").Select(match => (rule, match.Groups[1].Value)))
            .Where(use => !IsAlwaysThere(use.Value) && !use.rule.Contains($"has({use.Value})", StringComparison.Ordinal)).ToList();
        Assert.Empty(unguarded);
        // Else nothing has been looked at.
        Assert.Contains(Rules, rule => rule.Contains("has(self.dependsOn)", StringComparison.Ordinal));
    }

    private static bool IsAlwaysThere(string path)
    {
        JsonNode schema = Spec;
        foreach (var name in path.Split('.').Skip(1))
        {
            var isRequired = schema["required"]?.AsArray().Any(r => r!.GetValue<string>() == name) == true;
            schema = schema["properties"]![name]!;
            if (!isRequired && schema["default"] is null) return false;
        }
        return true;
    }
}
