using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FailoverOperator.Engines.Agents;

/// <summary>What became of an attempt to connect.</summary>
internal enum ConnectOutcome
{
    Accepted,

    /// <summary>The pod's kernel answered that nobody listens.</summary>
    Refused,

    /// <summary>Not even a kernel answered.</summary>
    NoAnswer,
}

/// <summary>
/// Keeps an idle connection to each agent: when it breaks, the agent's process has ended, or the way to it was reset, and somebody
/// is told at once rather than with the next question. Bounded; losing one loses nothing but that.
/// </summary>
internal sealed class AgentConnections(AgentSettings settings, TimeProvider time, Action<string>? onDisturbed) : IAsyncDisposable
{
    private const int MaxConnections = 256;

    /// <summary>A server that closes idle connections at once must not be asked all the time because of that.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Tripwire> _tripwires = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Whether the member's kernel, or its agent, takes connections, at the latest when the deadline comes.</summary>
    public async Task<ConnectOutcome> TryAsync(MemberEndpoint member, CancellationToken deadline)
    {
        try
        {
            using var socket = await ConnectAsync(member, deadline);
            return ConnectOutcome.Accepted;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return e is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? ConnectOutcome.Refused : ConnectOutcome.NoAnswer;
        }
    }

    /// <summary>Call when the member has answered.</summary>
    public void Watch(MemberEndpoint member)
    {
        if (onDisturbed is null || _stop.IsCancellationRequested) return;
        var known = _tripwires.GetValueOrDefault(member.PodUid);
        if (known is { Watching.IsCompleted: false } || (known is not null && time.GetElapsedTime(known.BegunTimestamp) < LeastPause)) return;
        foreach (var (uid, tripwire) in _tripwires)
            if (tripwire.Watching.IsCompleted && uid != member.PodUid) _tripwires.TryRemove(uid, out _);
        if (known is null && _tripwires.Count >= MaxConnections) return;
        _tripwires[member.PodUid] = new Tripwire(time.GetTimestamp(), WatchAsync(member));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tripwires.Values.Select(t => t.Watching));
        _stop.Dispose();
    }

    private async Task WatchAsync(MemberEndpoint member)
    {
        var stop = _stop.Token;
        try
        {
            using var deadline = new Deadline(settings.ProbeTimeout, time, stop);
            using var socket = await ConnectAsync(member, deadline.Token);
            // Nothing is asked on it, so that whatever comes, or its end, is a change.
            _ = await socket.ReceiveAsync(new byte[1], SocketFlags.None, stop);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It broke, which is told below, or it was never made.
        }
        if (!stop.IsCancellationRequested) onDisturbed?.Invoke(member.PodUid);
    }

    private async Task<Socket> ConnectAsync(MemberEndpoint member, CancellationToken deadline)
    {
        EndPoint endPoint = IPAddress.TryParse(member.PodAddress, out var ip)
            ? new IPEndPoint(ip, settings.Port)
            : new DnsEndPoint(member.PodAddress, settings.Port);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // A peer that is gone without a word must not be waited for for ever.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(endPoint, deadline);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed record Tripwire(long BegunTimestamp, Task Watching);
}
