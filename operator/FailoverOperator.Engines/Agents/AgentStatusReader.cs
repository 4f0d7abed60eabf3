using System.Collections.Frozen;
using System.Text.Json;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Agents;

/// <summary>From an agent's answer to the core's words. What cannot be understood is an error that says why, never a guess.</summary>
internal static class AgentStatusReader
{
    public static EngineReply Read(MemberEndpoint member, ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, AgentJson.Default.AgentStatus) is { } status
                ? Read(member, status)
                : new EngineReply.Failed($"the agent of {member.PodName} answered null");
        }
        catch (JsonException)
        {
            return new EngineReply.Failed($"the agent of {member.PodName} answered what is no status: {Quote.Of(System.Text.Encoding.UTF8.GetString(body))}");
        }
    }

    public static EngineReply Read(MemberEndpoint member, AgentStatus status)
    {
        // Another pod may have been given the address since it was read.
        if (status.Identity != LeaseContract.Identity(member.PodName, member.PodUid))
            return new EngineReply.Failed($"at the address of {member.PodName} answers {Quote.Of(status.Identity)}, not it");
        if (Problem(status) is { } problem) return new EngineReply.Failed($"the agent of {member.PodName} answered {problem}");
        if (status.Server is { } server) return new EngineReply.Answered(Translate(status, server));
        var why = string.IsNullOrWhiteSpace(status.Message) ? "the agent does not say why" : Quote.Of(status.Message);
        return status.ProcessRuns
            ? new EngineReply.Failed($"the server of {member.PodName} runs and does not answer its agent: {why}")
            : new EngineReply.Refused($"the server of {member.PodName} does not run: {why}");
    }

    private static string? Problem(AgentStatus status) =>
        status.Term < 0 ? "with a negative term"
        : IsNegative(status.AgeMilliseconds) || IsNegative(status.RenewedAgoMilliseconds) || IsNegative(status.ServedAgoMilliseconds) || IsNegative(status.Acknowledged?.AgoMilliseconds)
            ? "with a negative age"
        : status.Server is not { } server ? null
        : !Named<EngineRole>.All.ContainsKey(server.Role ?? "") ? $"with role '{Quote.Of(server.Role)}'"
        : !Named<ReplicationLink>.All.ContainsKey(server.Link ?? "") ? $"with link '{Quote.Of(server.Link)}'"
        : IsNegative(server.LinkDownMilliseconds) ? "with a negative linkDownMilliseconds"
        : server.Instance?.Length > MemberReference.MaxInstanceLength
            ? $"with an instance of more than {MemberReference.MaxInstanceLength} characters"
        : null;

    private static EngineStatus Translate(AgentStatus status, ServerStatus server) => new()
    {
        Role = Named<EngineRole>.All[server.Role],
        Writable = server.Writable,
        Instance = server.Instance,
        PositionBytes = server.PositionBytes,
        History = server.History,
        PreviousHistory = server.PreviousHistory,
        Link = Named<ReplicationLink>.All[server.Link],
        LinkDownFor = server.LinkDownMilliseconds is { } down ? TimeSpan.FromMilliseconds(down) : null,
        FollowsAddress = string.IsNullOrEmpty(server.FollowsAddress) ? null : server.FollowsAddress,
        IsEmpty = server.IsEmpty,
        Message = server.Message ?? status.Message,
        Age = TimeSpan.FromMilliseconds(status.AgeMilliseconds),
        Agent = new AgentFacts
        {
            Term = status.Term,
            ProcessRuns = status.ProcessRuns,
            RenewedAgo = status.RenewedAgoMilliseconds is { } renewed ? TimeSpan.FromMilliseconds(renewed) : null,
            ServedAgo = status.ServedAgoMilliseconds is { } served ? TimeSpan.FromMilliseconds(served) : null,
            AcknowledgedHolder = status.Acknowledged?.Holder,
            AcknowledgedTerm = status.Acknowledged?.Term ?? 0,
            AcknowledgedAgo = status.Acknowledged is { } given ? TimeSpan.FromMilliseconds(given.AgoMilliseconds) : null,
        },
    };

    /// <summary>Or so long that it is no duration.</summary>
    private static bool IsNegative(long? milliseconds) => milliseconds is < 0 or > int.MaxValue * 1000L;

    /// <summary>Values by their exact names: numbers and other spellings are not understood.</summary>
    private static class Named<T>
        where T : struct, Enum
    {
        public static FrozenDictionary<string, T> All { get; } = Enum.GetValues<T>().ToFrozenDictionary(v => v.ToString(), StringComparer.Ordinal);
    }
}
