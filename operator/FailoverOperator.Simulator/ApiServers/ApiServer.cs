using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.Networking;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>A call, as the server sees it.</summary>
/// <param name="Verb">get, list, watch, create, replace, replaceStatus, patch, delete or discover.</param>
public sealed record ApiRequest(string Verb, string Kind, string Namespace, string Name)
{
    public bool IsWrite => Verb is not ("get" or "list" or "watch" or "discover");

    public override string ToString() => $"{Verb} {Kind} {Namespace}/{Name}";
}

/// <summary>How the API server is away.</summary>
public enum Outage
{
    None,

    /// <summary>It refuses connections, and its watches have broken.</summary>
    Refusing,

    /// <summary>It takes requests and answers nothing.</summary>
    Hanging,
}

/// <summary>
/// The API server: takes requests from the network, carries them out on its objects, and answers, unless something is the matter with it.
/// </summary>
public sealed class ApiServer
{
    public const string Machine = "api";

    private readonly EventLoop _loop;
    private readonly Network _network;
    private readonly Random _random;
    private readonly List<ServedWatch> _watches = [];
    private readonly Dictionary<string, TimeSpan> _watchLag = [];
    private readonly HashSet<string> _answersLost = [];

    public ApiServer(EventLoop loop, Network network, Random random)
    {
        (_loop, _network, _random) = (loop, network, random);
        Store = new ResourceStore(new SimulatedProcess(Machine, loop, new NodeClock(1, TimeSpan.Zero)).Time);
        loop.Every(TimeSpan.FromSeconds(60), SendBookmarks);
    }

    internal ResourceStore Store { get; }

    public Outage Outage { get; private set; }

    public bool IsUp => Outage == Outage.None;

    /// <summary>How many of a thousand requests are answered with an error, without having been carried out.</summary>
    public int ErrorsPerMille { get; set; }

    /// <summary>Every request takes so much longer.</summary>
    public TimeSpan SlowBy { get; set; }

    public void GoAway(Outage outage)
    {
        Outage = outage;
        if (outage == Outage.Refusing) BreakWatches();
    }

    public void ComeBack()
    {
        // Those who hung on it hear that their connections have gone.
        if (Outage == Outage.Hanging) BreakWatches();
        Outage = Outage.None;
    }

    /// <summary>What it carries out for this machine, it does not say.</summary>
    public void LoseAnswers(string machine, bool lose) => _ = lose ? _answersLost.Add(machine) : _answersLost.Remove(machine);

    /// <summary>This machine hears of changes so much later, as from a replica that lags.</summary>
    public void DelayWatches(string machine, TimeSpan by) => _watchLag[machine] = by;

    /// <summary>Watches of one machine, or of all, end with a broken connection.</summary>
    public void BreakWatches(string? machine = null)
    {
        foreach (var watch in _watches.Where(w => machine is null || w.Machine == machine).ToList()) watch.Break(ApiFailure.Unreachable);
    }

    /// <summary>Watches of this machine say nothing more, and do not end.</summary>
    public void SilenceWatches(string machine)
    {
        foreach (var watch in _watches.Where(w => w.Machine == machine)) watch.Silence();
    }

    /// <summary>Forgets the history, and ends all watches: those who come back hear that their version is too old.</summary>
    public void Compact()
    {
        Store.Compact();
        foreach (var watch in _watches.ToList()) watch.Break(ApiFailure.Expired);
    }

    public void Heal()
    {
        ComeBack();
        (ErrorsPerMille, SlowBy) = (0, TimeSpan.Zero);
        _watchLag.Clear();
        _answersLost.Clear();
    }

    /// <summary>A request has arrived. Exactly one answer is sent back, or none.</summary>
    internal void Handle<T>(string machine, ApiRequest request, Func<T> carryOut, Action<T?, KubernetesApiException?> answer)
    {
        if (Outage == Outage.Hanging) return;
        if (Outage == Outage.Refusing)
        {
            Answer(machine, () => answer(default, Failure(ApiFailure.Unreachable, request, "connection refused")));
            return;
        }
        _loop.After(TimeSpan.FromMicroseconds(800 + _random.Next(2500)) + SlowBy, () => Carry(machine, request, carryOut, answer));
    }

    /// <summary>Opens a watch; what it tells goes over a connection of its own.</summary>
    internal ServedWatch Open(string machine, ResourceKind kind, string version, Selector selector, Mailbox<WatchEvent> mailbox)
    {
        var stream = new Networking.MessageStream(_loop, _network, Machine, machine);
        var served = new ServedWatch(_loop, machine, stream, mailbox, () => _watchLag.GetValueOrDefault(machine));
        served.Watch = Store.Watch(kind, version, selector, served.Tell, served.End);
        served.Closed = () => _watches.Remove(served);
        _watches.Add(served);
        return served;
    }

    private void Carry<T>(string machine, ApiRequest request, Func<T> carryOut, Action<T?, KubernetesApiException?> answer)
    {
        if (!IsUp) return;
        if (ErrorsPerMille > 0 && _random.Next(1000) < ErrorsPerMille)
        {
            Answer(machine, () => answer(default, Failure(ApiFailure.Unavailable, request, "the server is overloaded")));
            return;
        }
        try
        {
            var result = carryOut();
            if (!_answersLost.Contains(machine)) Answer(machine, () => answer(result, null));
        }
        catch (KubernetesApiException failure)
        {
            if (!_answersLost.Contains(machine)) Answer(machine, () => answer(default, failure));
        }
    }

    private void Answer(string machine, Action arrive) => _network.Send(Machine, machine, arrive);

    private bool SendBookmarks()
    {
        if (IsUp) Store.SendBookmarks();
        return true;
    }

    private static KubernetesApiException Failure(ApiFailure failure, ApiRequest request, string problem) => new(failure, $"{request}: {problem}");
}
