using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using FailoverOperator.Engines;
using k8s;
using k8s.Autorest;

namespace FailoverOperator.Acting;

/// <summary>
/// Runs commands through the exec subresource, in its protocol v4.channel.k8s.io, which every API server from 1.20 on
/// speaks. That one cannot close the command's standard input: a command must read a line, not to the end.
/// </summary>
public sealed class KubernetesPodCommandRunner(IKubernetes client, TimeProvider time) : IPodCommandRunner
{
    private const byte InputChannel = 0;
    private const byte OutputChannel = 1;
    private const byte ErrorChannel = 2;
    private const byte StatusChannel = 3;
    private const int MaxStatusBytes = 64 * 1024;

    public async Task<PodCommandResult> RunAsync(
        MemberEndpoint member, string container, IReadOnlyList<string> command, string standardInput,
        int maxOutputBytes, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await RunAsync(member, container, command, standardInput, maxOutputBytes, deadline.Token);
        }
        catch (Exception) when (deadline.IsCancellationRequested)
        {
            // The client reports a cancelled connection in several ways.
            cancellationToken.ThrowIfCancellationRequested();
            return new PodCommandResult.TimedOut();
        }
        catch (HttpOperationException exception)
        {
            return NotRun(member, Message(exception.Response?.Content) ?? exception.Message);
        }
        catch (Exception exception) when (exception is WebSocketException or HttpRequestException or IOException or KubernetesException)
        {
            return NotRun(member, Refusal(exception.Message));
        }
    }

    private async Task<PodCommandResult> RunAsync(
        MemberEndpoint member, string container, IReadOnlyList<string> command, string standardInput,
        int maxOutputBytes, CancellationToken deadline)
    {
        using var socket = await client.WebSocketNamespacedPodExecAsync(
            member.PodName, member.Namespace, command, container.Length == 0 ? null : container,
            stderr: true, stdin: true, stdout: true, tty: false, webSocketSubProtocol: WebSocketProtocol.V4BinaryWebsocketProtocol,
            customHeaders: null, cancellationToken: deadline);
        byte[] input = [InputChannel, .. Encoding.UTF8.GetBytes(standardInput)];
        await socket.SendAsync(input, WebSocketMessageType.Binary, endOfMessage: true, deadline);
        return await ReadAsync(socket, member, maxOutputBytes, deadline);
    }

    private static async Task<PodCommandResult> ReadAsync(
        WebSocket socket, MemberEndpoint member, int maxOutputBytes, CancellationToken deadline)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        using var status = new MemoryStream();
        var buffer = new byte[16 * 1024];
        MemoryStream? target = null;
        var startsMessage = true;
        while (true)
        {
            var frame = await socket.ReceiveAsync(buffer.AsMemory(), deadline);
            if (frame.MessageType == WebSocketMessageType.Close)
                return NotRun(member, "the connection ended before the command's exit code was told");
            var data = buffer.AsMemory(0, frame.Count);
            if (startsMessage && !data.IsEmpty)
            {
                target = data.Span[0] switch { OutputChannel => output, ErrorChannel => error, StatusChannel => status, _ => null };
                data = data[1..];
            }
            startsMessage = frame.EndOfMessage;
            target?.Write(data.Span);
            if (output.Length + error.Length > maxOutputBytes || status.Length > MaxStatusBytes)
                return new PodCommandResult.TooMuchOutput(maxOutputBytes);
            if (frame.EndOfMessage && status.Length > 0)
                return Ended(member, Text(status), Text(output), Text(error));
        }
    }

    private static PodCommandResult Ended(MemberEndpoint member, string status, string output, string error)
    {
        try
        {
            using var document = JsonDocument.Parse(status);
            var root = document.RootElement;
            if (root.GetProperty("status").GetString() == "Success")
                return new PodCommandResult.Exited(0, output, error);
            var message = root.TryGetProperty("message", out var words) ? words.GetString() ?? "" : "";
            return (ExitCode(root) ?? ShellExitCode(message)) is { } code
                ? new PodCommandResult.Exited(code, output, error)
                : NotRun(member, message);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return NotRun(member, "the API server told no exit code that can be understood");
        }
    }

    private static int? ExitCode(JsonElement status)
    {
        if (!status.TryGetProperty("details", out var details) || !details.TryGetProperty("causes", out var causes))
            return null;
        foreach (var cause in causes.EnumerateArray())
            if (cause.TryGetProperty("reason", out var reason) && reason.GetString() == "ExitCode")
                return int.TryParse(cause.GetProperty("message").GetString(), out var code) ? code : null;
        return null;
    }

    /// <summary>The API server's refusal to start; the web socket's client keeps of it no more than the status code in a text.</summary>
    private static string Refusal(string message) =>
        message.Contains("'400'", StringComparison.Ordinal) ? "the pod has no such container, or it does not run"
        : message.Contains("'403'", StringComparison.Ordinal) ? "the operator lacks the right to use pods/exec (verbs get and create)"
        : message.Contains("'404'", StringComparison.Ordinal) ? "there is no such pod"
        : message;

    /// <summary>Where the runtime tells in words what a shell tells by exit code.</summary>
    private static int? ShellExitCode(string message) =>
        message.Contains("executable file not found", StringComparison.Ordinal)
            || message.Contains("no such file or directory", StringComparison.Ordinal) ? 127
        : message.Contains("permission denied", StringComparison.Ordinal) ? 126
        : null;

    private static string? Message(string? body)
    {
        try
        {
            using var document = JsonDocument.Parse(body ?? "");
            return document.RootElement.GetProperty("message").GetString();
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return string.IsNullOrWhiteSpace(body) ? null : body;
        }
    }

    private static PodCommandResult.NotRun NotRun(MemberEndpoint member, string why) =>
        new($"exec in pod {member.PodName}: {why}");

    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
}
