using System.Net.Sockets;
using System.Text;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Engines.Hooks;

/// <summary>How a call of a hook ended: its answer, or the reply that says why there is none.</summary>
internal abstract record HookAnswer
{
    private HookAnswer()
    {
    }

    public sealed record Text(string Answer) : HookAnswer;

    public sealed record None(EngineReply Why) : HookAnswer;
}

/// <summary>Calls one hook, as a command in the pod or over HTTP. Never throws but for the caller's token.</summary>
/// <param name="http">Gives a client that follows no redirects; it stays the giver's.</param>
internal sealed class HookCaller(IPodCommandRunner commands, Func<HttpClient> http, TimeProvider time)
{
    public const int MaxAnswerBytes = 64 * 1024;

    public static string Name(HookRequest request) => $"hook {request.Action} of {request.Member.Name}";

    public Task<HookAnswer> CallAsync(
        HookSpec hook, MemberEndpoint member, HookRequest request, CancellationToken cancellationToken) => hook switch
        {
            { Exec: { } exec, Http: null } => ExecAsync(hook, exec, member, request, cancellationToken),
            { Exec: null, Http: { } post } => PostAsync(hook, post, member, request, cancellationToken),
            _ => Task.FromResult<HookAnswer>(Failed(request, "needs exactly one of exec and http in spec.engine.hooks")),
        };

    private async Task<HookAnswer> ExecAsync(
        HookSpec hook, ExecHookSpec exec, MemberEndpoint member, HookRequest request, CancellationToken cancellationToken)
    {
        var command = exec.Command.Select(request.Expand).ToList();
        var result = await commands.RunAsync(
            member, exec.Container, command, request.ToJson() + "\n", MaxAnswerBytes, Timeout(hook), cancellationToken);
        return result switch
        {
            PodCommandResult.Exited { ExitCode: 0 } exited => TextOf(request, exited.StandardOutput),
            PodCommandResult.Exited { ExitCode: 126 or 127 } exited => Failed(request,
                $"could not run '{Quote.Of(command.FirstOrDefault() ?? "")}' (exit code {exited.ExitCode}: "
                + $"{(exited.ExitCode == 127 ? "not found" : "not executable")}){Said(exited.StandardError)}"),
            PodCommandResult.Exited exited => Failed(request, $"ended with exit code {exited.ExitCode}{Said(exited.StandardError)}"),
            PodCommandResult.TimedOut => Hung(hook, request),
            PodCommandResult.TooMuchOutput => TooLong(request),
            PodCommandResult.NotRun notRun => new HookAnswer.None(
                new EngineReply.Silent($"{Name(request)} could not be run: {notRun.Message}") { WasAsked = false }),
            _ => throw new ArgumentOutOfRangeException(nameof(hook), result, "unknown result"),
        };
    }

    private async Task<HookAnswer> PostAsync(
        HookSpec hook, HttpHookSpec post, MemberEndpoint member, HookRequest request, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(Timeout(hook), time, cancellationToken);
        try
        {
            return await PostAsync(post, member, request, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Hung(hook, request);
        }
        catch (HttpRequestException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new HookAnswer.None(new EngineReply.Refused($"{Name(request)}: nobody listens on port {post.Port} of {member.PodAddress}"));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return Silent(request, $"could not be reached on port {post.Port} of {member.PodAddress}, or the connection broke");
        }
    }

    private async Task<HookAnswer> PostAsync(
        HttpHookSpec post, MemberEndpoint member, HookRequest request, CancellationToken deadline)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, member.Url(post.Port, post.Path))
        {
            Content = new StringContent(request.ToJson(), Encoding.UTF8, "application/json"),
        };
        using var response = await http().SendAsync(message, HttpCompletionOption.ResponseHeadersRead, deadline);
        if (await BoundedBody.ReadAsync(response, MaxAnswerBytes, deadline) is not { } bytes)
            return TooLong(request);
        var body = Encoding.UTF8.GetString(bytes.Span);
        return response.IsSuccessStatusCode
            ? TextOf(request, body)
            : Failed(request, $"answered with HTTP status {(int)response.StatusCode}{Said(body)}");
    }

    /// <summary>The bound holds here too, whatever the runner does.</summary>
    private static HookAnswer TextOf(HookRequest request, string answer) =>
        Encoding.UTF8.GetByteCount(answer) > MaxAnswerBytes ? TooLong(request) : new HookAnswer.Text(answer);

    private static TimeSpan Timeout(HookSpec hook) => TimeSpan.FromSeconds(hook.TimeoutSeconds);

    private static string Said(string words) => string.IsNullOrWhiteSpace(words) ? "" : $": {Quote.Of(words)}";

    private static HookAnswer.None TooLong(HookRequest request) =>
        Failed(request, $"answered more than {MaxAnswerBytes / 1024} KiB; its output must be one short JSON object");

    private static HookAnswer.None Hung(HookSpec hook, HookRequest request) =>
        Silent(request, $"did not end within {hook.TimeoutSeconds} s (timeoutSeconds)");

    private static HookAnswer.None Silent(HookRequest request, string what) =>
        new(new EngineReply.Silent($"{Name(request)} {what}"));

    private static HookAnswer.None Failed(HookRequest request, string what) =>
        new(new EngineReply.Failed($"{Name(request)} {what}"));
}
