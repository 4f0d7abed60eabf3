using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverOperator.Engines;

namespace FailoverOperator.Tests.Engines.Agents;

/// <summary>
/// A server on a loopback address that says what it is told to, byte by byte, also what no decent HTTP server would. It keeps its
/// connections open.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private static int _lastHost = 1;

    private readonly TcpListener _listener;
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public ScriptedServer(string identity = "db-1/uid-1")
    {
        var address = $"127.0.2.{Interlocked.Increment(ref _lastHost)}";
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        _listener.Start();
        var parts = identity.Split('/');
        Member = new MemberEndpoint("shop", parts[0], parts[1], address);
        _accepting = AcceptAsync();
    }

    public MemberEndpoint Member { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From a request's head to the bytes of the answer. Null: it never answers.</summary>
    public Func<string, byte[]?> Answer { get; set; } = _ => null;

    public ConcurrentQueue<string> Requests { get; } = [];

    public static byte[] Http(string body, string status = "200 OK", string headers = "") =>
        Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}");

    /// <summary>The connections end; new ones are taken.</summary>
    public void Break()
    {
        while (_clients.TryTake(out var client)) client.Dispose();
    }

    /// <summary>From now on nobody listens.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Break();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _clients.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // It ends.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            var head = new StringBuilder();
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                head.AppendLine(line);
                if (line.Length > 0) continue;
                Requests.Enqueue(head.ToString());
                if (Answer(head.ToString()) is { } answer) await stream.WriteAsync(answer, _stop.Token);
                head.Clear();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection ends.
        }
    }
}
