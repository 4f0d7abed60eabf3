using System.Globalization;
using System.Text;
using FailoverOperator.Agent.Loop;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Http;

/// <summary>
/// The agent's figures in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/). Ten lines are written by
/// hand here, for a library would cost more memory than all the rest of the agent.
/// </summary>
internal static class AgentMetrics
{
    public const string ContentType = "text/plain; version=0.0.4";

    public static string Of(AgentState state, ServerNews? news)
    {
        var (memory, counters) = (state.Memory, state.Counters);
        var text = new StringBuilder();
        Add(text, "redundancy_agent_term", "gauge", "The highest term that the agent knows of.", ("", memory.HighestTerm));
        Add(text, "redundancy_agent_holds_lease", "gauge", "Whether this member holds the lease.", ("", memory.Tenure is null ? 0 : 1));
        Add(text, "redundancy_agent_server_writable", "gauge", "Whether the server takes writes, as it said last.",
            ("", news?.Reply is EngineReply.Answered { Status.Writable: true } ? 1 : 0));
        Add(text, "redundancy_agent_renewals_total", "counter", "Renewals of the lease.",
            ("{result=\"acknowledged\"}", counters.Renewals), ("{result=\"failed\"}", counters.FailedRenewals));
        Add(text, "redundancy_agent_failsafe_rounds_total", "counter", "Rounds of asking every other member without the API server.",
            ("{result=\"acknowledged\"}", counters.Rounds), ("{result=\"failed\"}", counters.FailedRounds));
        Add(text, "redundancy_agent_demotions_total", "counter", "Times that the server was stopped to be writable.", ("", counters.Demotions));
        Add(text, "redundancy_agent_server_ends_total", "counter", "Times that the server ended by itself.", ("", counters.ServerEnds));
        return text.ToString();
    }

    private static void Add(StringBuilder text, string name, string type, string help, params (string Labels, long Value)[] samples)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var (labels, value) in samples) text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value}\n");
    }
}
