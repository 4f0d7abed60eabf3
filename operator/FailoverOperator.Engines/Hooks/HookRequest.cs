using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FailoverOperator.Engines.Hooks;

public sealed record HookMember(string Name, string Address);

/// <summary>What a hook is told. Fields in the order in which they are written; see docs/hooks.md.</summary>
public sealed record HookRequest(
    string Action, string Group, string Namespace, string Slot, long Term, HookMember Member, HookMember? Primary)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [JsonPropertyOrder(-1)]
    public string ApiVersion { get; } = "failover-operator.io/hooks/v1";

    /// <summary>One line: a hook reads one line, because its standard input is not closed.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>
    /// Replaces $(NAME) as Kubernetes does in commands: $$ stands for one $, so that $$(NAME) stays $(NAME); a name that
    /// is not known stays as it is.
    /// </summary>
    public string Expand(string argument)
    {
        var result = new StringBuilder(argument.Length);
        for (var i = 0; i < argument.Length; i++)
        {
            if (argument[i] != '$' || i + 1 == argument.Length)
                _ = result.Append(argument[i]);
            else if (argument[i + 1] == '$')
                _ = result.Append(argument[i++]);
            else if (argument[i + 1] == '(' && argument.IndexOf(')', i) is > 0 and var end)
            {
                _ = result.Append(Value(argument[(i + 2)..end]) ?? argument[i..(end + 1)]);
                i = end;
            }
            else
                _ = result.Append('$');
        }
        return result.ToString();
    }

    private string? Value(string name) => name switch
    {
        "ACTION" => Action,
        "GROUP" => Group,
        "SLOT" => Slot,
        "TERM" => Term.ToString(CultureInfo.InvariantCulture),
        "MEMBER" => Member.Name,
        "PRIMARY_NAME" => Primary?.Name ?? "",
        "PRIMARY_ADDRESS" => Primary?.Address ?? "",
        _ => null,
    };
}
