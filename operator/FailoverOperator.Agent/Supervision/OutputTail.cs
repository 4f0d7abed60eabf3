using System.Text;

namespace FailoverOperator.Agent.Supervision;

/// <summary>The end of what a program printed, bounded.</summary>
internal sealed class OutputTail(int capacityBytes)
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[capacityBytes];
    private long _written;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
            foreach (var each in bytes)
                _ring[_written++ % _ring.Length] = each;
    }

    public override string ToString()
    {
        lock (_gate)
        {
            var count = (int)Math.Min(_written, _ring.Length);
            var bytes = new byte[count];
            for (var i = 0; i < count; i++) bytes[i] = _ring[(_written - count + i) % _ring.Length];
            var text = Encoding.UTF8.GetString(bytes).TrimEnd();
            // What is cut off at the front is no line.
            return _written > _ring.Length && text.IndexOf('\n') is >= 0 and var end ? text[(end + 1)..] : text;
        }
    }
}
