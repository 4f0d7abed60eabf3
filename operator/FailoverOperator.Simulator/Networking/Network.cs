using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.Networking;

/// <summary>
/// Carries messages between machines as TCP does: none is lost while both ends live, but any may take long. Each direction of each pair can be cut
/// for itself; what is sent meanwhile is tried again, less and less often.
/// </summary>
public sealed class Network(EventLoop loop, Random random)
{
    private static readonly TimeSpan FirstRetransmission = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetransmission = TimeSpan.FromSeconds(6);

    /// <summary>Connections are given up after so long without a sign of the other end.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(string From, string To), TimeSpan> _cuts = [];
    private readonly Dictionary<string, TimeSpan> _slow = [];

    /// <summary>How many of a thousand packets have to be sent again.</summary>
    public int LossPerMille { get; set; }

    /// <summary>Nothing gets from one to the other until then.</summary>
    public void Cut(string from, string to, TimeSpan until) => _cuts[(from, to)] = until;

    public void CutBoth(string one, string other, TimeSpan until)
    {
        Cut(one, other, until);
        Cut(other, one, until);
    }

    /// <summary>Whatever a machine sends takes so much longer.</summary>
    public void Slow(string machine, TimeSpan by) => _slow[machine] = by;

    public void Heal()
    {
        _cuts.Clear();
        _slow.Clear();
        LossPerMille = 0;
    }

    public bool IsOpen(string from, string to) => _cuts.Count == 0 || !_cuts.TryGetValue((from, to), out var until) || until <= loop.Now;

    /// <summary>One message. <paramref name="isGivenUp"/>: nobody waits for it any more.</summary>
    public void Send(string from, string to, Action arrive, Func<bool>? isGivenUp = null) =>
        Send(from, to, arrive, isGivenUp, FirstRetransmission, loop.Now);

    /// <summary>How long one packet is under way.</summary>
    internal TimeSpan Delay(string from, string to)
    {
        if (from == to) return TimeSpan.FromMicroseconds(20 + random.Next(60));
        var delay = TimeSpan.FromMicroseconds(150 + random.Next(350));
        if (random.Next(50) == 0) delay += TimeSpan.FromMicroseconds(random.Next(3000));
        if (LossPerMille > 0 && random.Next(1000) < LossPerMille) delay += FirstRetransmission;
        return _slow.Count == 0 ? delay : delay + _slow.GetValueOrDefault(from);
    }

    private void Send(string from, string to, Action arrive, Func<bool>? isGivenUp, TimeSpan retransmission, TimeSpan begun)
    {
        if (IsOpen(from, to))
        {
            loop.After(Delay(from, to), arrive);
            return;
        }
        if (loop.Now - begun > GivenUpAfter || isGivenUp?.Invoke() == true) return;
        var next = retransmission * 2 < LastRetransmission ? retransmission * 2 : LastRetransmission;
        loop.After(retransmission, () => Send(from, to, arrive, isGivenUp, next, begun));
    }
}
