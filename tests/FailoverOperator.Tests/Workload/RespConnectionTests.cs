using System.Text;
using FailoverOperator.Workload;

namespace FailoverOperator.Tests.Workload;

public sealed class RespConnectionTests
{
    [Theory]
    [InlineData("+OK\r\n", "OK")]
    [InlineData(":42\r\n", 42L)]
    [InlineData("$5\r\nh\u00e9y!\r\n", "h\u00e9y!")]
    [InlineData("$-1\r\n", null)]
    public void Reads_answers(string answer, object? expected) => Assert.Equal(expected, Call(answer));

    [Fact]
    public void Reads_lists() => Assert.Equal(new List<object?> { "1", null, 2L }, Call("*3\r\n$1\r\n1\r\n$-1\r\n:2\r\n"));

    [Fact]
    public void A_refusal_is_not_a_broken_connection() =>
        Assert.Equal("READONLY no", Assert.Throws<RedisErrorException>(() => Call("-READONLY no\r\n")).Message);

    [Theory]
    [InlineData("")]
    [InlineData("$5\r\nab")]
    [InlineData("nonsense\r\n")]
    [InlineData("\r\n")]
    public void What_is_no_whole_answer_is_an_unknown_outcome(string answer) => Assert.Throws<IOException>(() => Call(answer));

    [Fact]
    public void Sends_lengths_in_bytes()
    {
        var stream = new Conversation("+OK\r\n");
        new RespConnection(stream).Call("SET", "k\u00e9");
        Assert.Equal("*2\r\n$3\r\nSET\r\n$3\r\nk\u00e9\r\n", Encoding.UTF8.GetString(stream.Sent.ToArray()));
    }

    private static object? Call(string answer) => new RespConnection(new Conversation(answer)).Call("PING");

    private sealed class Conversation(string answer) : MemoryStream(Encoding.UTF8.GetBytes(answer))
    {
        public MemoryStream Sent { get; } = new();

        public override void Write(byte[] buffer, int offset, int count) => Sent.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => Sent.Write(buffer);
    }
}
