using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Agents;

/// <summary>
/// Members with an agent: the agent is asked, and the lease commands. Whatever engine is behind it, only the verifying write is done
/// past the agent, as a client would do it.
/// </summary>
/// <param name="token">What operator and agents prove themselves with.</param>
/// <param name="verifier">Does the verifying write. Null: the agent's own word must do.</param>
/// <param name="http">A client that follows no redirects; it stays the giver's.</param>
/// <param name="onDisturbed">Called with the pod's uid when the connection to its agent breaks. Must not block.</param>
public sealed class AgentEngine(
    AgentSettings settings, string token, IWriteVerifier? verifier, HttpClient http, TimeProvider time, Action<string>? onDisturbed = null) : IEngine
{
    private const int MaxAnswerBytes = 64 * 1024;

    private readonly AgentConnections _connections = new(settings, time, onDisturbed);

    public async Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(settings.ProbeTimeout, time, cancellationToken);
        var asking = AskAsync(member, deadline.Token, cancellationToken);
        var reply = await IsSlowAsync(asking, cancellationToken) ? await ExplainAsync(member, asking, deadline.Token) : await asking;
        cancellationToken.ThrowIfCancellationRequested();
        if (reply is EngineReply.Answered) _connections.Watch(member);
        return reply;
    }

    public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        NotDone($"{member.PodName} was not told to become primary: its agent does that when the lease names it");

    public Task<EngineOutcome> FollowAsync(
        MemberEndpoint member, MemberEndpoint primary, EngineContext context, CancellationToken cancellationToken) =>
        NotDone($"{member.PodName} was not told to follow {primary.PodName}: its agent follows whom the lease names");

    public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        NotDone($"{member.PodName} was not told to become read-only: its agent does that when the lease does not name it any more");

    public async Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken)
    {
        if (verifier is not null) return await verifier.VerifyAsync(member, address, port, context, cancellationToken);
        if (await StatusAsync(member, cancellationToken) is var reply && reply is not EngineReply.Answered)
            return new EngineOutcome.NotDone(EngineReply.Describe(reply));
        var status = ((EngineReply.Answered)reply).Status;
        return status is { Role: EngineRole.Primary, Writable: true } && status.Agent?.Term == context.Term
            ? new EngineOutcome.Done()
            : new EngineOutcome.NotDone($"the agent of {member.PodName} does not say that it takes writes in term {context.Term}: "
                + $"role {status.Role}, writable {status.Writable}, term {status.Agent?.Term}");
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        if (verifier is not null) await verifier.DisposeAsync();
    }

    /// <summary>Never throws; an answer that does not come ends with the deadline.</summary>
    private async Task<EngineReply> AskAsync(MemberEndpoint member, CancellationToken deadline, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(member, deadline).WaitAsync(deadline);
        }
        catch (OperationCanceledException)
        {
            return new EngineReply.Silent(
                cancellationToken.IsCancellationRequested ? "the question was given up" : $"{Name(member)} did not answer in time");
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new EngineReply.Refused($"{Name(member)} refuses connections: no agent runs there");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            return new EngineReply.Silent($"{Name(member)} cannot be reached", Connected: false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new EngineReply.Silent($"the connection to {Name(member)} broke");
        }
        catch (FormatException)
        {
            return new EngineReply.Unauthorized(
                "the agents' token holds characters that cannot be sent; write another one into the Secret of spec.agent.tokenSecretRef");
        }
    }

    private async Task<EngineReply> AskAsync(MemberEndpoint member, CancellationToken deadline)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, member.Url(settings.Port, AgentContract.StatusPath));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            return new EngineReply.Unauthorized(
                $"{Name(member)} rejects the operator's token: check that the pods have the one of spec.agent.tokenSecretRef");
        if (await BoundedBody.ReadAsync(response, MaxAnswerBytes, deadline) is not { } body)
            return new EngineReply.Failed($"{Name(member)} answered more than {MaxAnswerBytes / 1024} KiB");
        return response.IsSuccessStatusCode
            ? AgentStatusReader.Read(member, body.Span)
            : new EngineReply.Failed($"{Name(member)} answered with HTTP status {(int)response.StatusCode}: {Quote.Of(Encoding.UTF8.GetString(body.Span))}");
    }

    /// <summary>Half of the time is over, and there is no answer yet.</summary>
    private async Task<bool> IsSlowAsync(Task asking, CancellationToken cancellationToken)
    {
        try
        {
            await asking.WaitAsync(settings.ProbeTimeout / 2, time, cancellationToken);
            return false;
        }
        catch (TimeoutException)
        {
            return true;
        }
    }

    /// <summary>
    /// The question may be on a connection that died long ago, which says nothing: whether the member takes a new one tells a frozen
    /// process from a lost node.
    /// </summary>
    private async Task<EngineReply> ExplainAsync(MemberEndpoint member, Task<EngineReply> asking, CancellationToken deadline)
    {
        var connecting = _connections.TryAsync(member, deadline);
        var (reply, outcome) = (await asking, await connecting);
        if (reply is not EngineReply.Silent { Connected: null } silent) return reply;
        return outcome switch
        {
            ConnectOutcome.Accepted => silent with { Message = $"{silent.Message}, though its pod takes connections", Connected = true },
            ConnectOutcome.Refused => new EngineReply.Refused($"{Name(member)} refuses connections: no agent runs there"),
            ConnectOutcome.NoAnswer => silent with { Connected = false },
            _ => throw new ArgumentOutOfRangeException(nameof(member), outcome, "unknown outcome"),
        };
    }

    private string Name(MemberEndpoint member) => FormattableString.Invariant($"the agent of {member.PodName} ({member.PodAddress}:{settings.Port})");

    private static Task<EngineOutcome> NotDone(string message) => Task.FromResult<EngineOutcome>(new EngineOutcome.NotDone(message));
}
