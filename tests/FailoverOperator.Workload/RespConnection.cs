using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverOperator.Workload;

/// <summary>The server answered with an error, such as <c>READONLY You can't write against a read only replica.</c></summary>
public sealed class RedisErrorException(string message) : Exception(message);

/// <summary>
/// One connection that speaks RESP2 and gives up early. No client library: those retry, queue and reconnect in ways that
/// hide an outage or prolong it.
/// </summary>
public sealed class RespConnection : IDisposable
{
    private readonly Stream stream;
    private readonly byte[] buffer = new byte[64 * 1024];
    private int start;
    private int end;

    /// <summary>Speaks over any stream; the stream's own timeouts hold.</summary>
    public RespConnection(Stream stream) => this.stream = stream;

    public static RespConnection Connect(IPEndPoint endpoint, TimeSpan connectDeadline, TimeSpan answerDeadline)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SendTimeout = socket.ReceiveTimeout = (int)answerDeadline.TotalMilliseconds;
            using var cancellation = new CancellationTokenSource(connectDeadline);
            socket.ConnectAsync(endpoint, cancellation.Token).AsTask().GetAwaiter().GetResult();
            return new RespConnection(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one command and reads its answer: a string, a whole number, a list of these, or null.</summary>
    /// <exception cref="RedisErrorException">The server refused.</exception>
    /// <exception cref="IOException">No answer, or none in time: whether the command was carried out is unknown.</exception>
    public object? Call(params string[] command)
    {
        var request = new StringBuilder($"*{command.Length}\r\n");
        foreach (var part in command) request.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n");
        stream.Write(Encoding.UTF8.GetBytes(request.ToString()));
        return ReadReply();
    }

    public void Dispose() => stream.Dispose();

    private object? ReadReply()
    {
        var line = ReadLine();
        var rest = line[1..];
        return line[0] switch
        {
            '+' => rest,
            '-' => throw new RedisErrorException(rest),
            ':' => long.Parse(rest, CultureInfo.InvariantCulture),
            '$' => ReadBulk(int.Parse(rest, CultureInfo.InvariantCulture)),
            '*' => ReadList(int.Parse(rest, CultureInfo.InvariantCulture)),
            _ => throw new IOException($"not a RESP answer: {line}"),
        };
    }

    private List<object?>? ReadList(int length)
    {
        if (length < 0) return null;
        var items = new List<object?>(length);
        for (var i = 0; i < length; i++) items.Add(ReadReply());
        return items;
    }

    private string? ReadBulk(int length)
    {
        if (length < 0) return null;
        var bytes = new byte[length + 2];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = ReadByte();
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        for (char c; (c = (char)ReadByte()) != '\n';) line.Append(c);
        return line.Length > 1 ? line.ToString(0, line.Length - 1) : throw new IOException("an empty answer");
    }

    private byte ReadByte()
    {
        if (start < end) return buffer[start++];
        end = stream.Read(buffer);
        start = 0;
        return end > 0 ? buffer[start++] : throw new IOException("the server closed the connection");
    }
}
