using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Where Services lead now: ready addresses only.</summary>
public interface IServiceEndpoints : IWatched
{
    IReadOnlyList<ServiceEndpoint> Of(string namespaceName, string service);

    /// <summary>Calls back with namespace and name of each Service whose endpoints change.</summary>
    void Subscribe(Action<string, string> onChange);
}

/// <summary>From <c>v1</c> Endpoints, for API servers without <c>discovery.k8s.io/v1</c>.</summary>
public sealed class EndpointsReader(IInformer<V1Endpoints> endpoints) : IServiceEndpoints
{
    public bool IsSynced => endpoints.IsSynced;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => endpoints.WaitForSyncAsync(cancellationToken);

    public IReadOnlyList<ServiceEndpoint> Of(string namespaceName, string service) => endpoints.TryGet(new ObjectKey(namespaceName, service), out var found)
        ? [.. (found.Subsets ?? []).SelectMany(subset => (subset.Addresses ?? []).Select(a => new ServiceEndpoint(a.Ip, subset.Ports?.FirstOrDefault()?.Port ?? 0))).Distinct()]
        : [];

    public void Subscribe(Action<string, string> onChange) => endpoints.Subscribe(change => onChange(change.Current.Namespace(), change.Current.Name()));

    public Task RunAsync(CancellationToken cancellationToken) => endpoints.RunAsync(cancellationToken);
}

/// <summary>From <c>discovery.k8s.io/v1</c> EndpointSlices.</summary>
public sealed class EndpointSliceReader : IServiceEndpoints
{
    private const string ServiceNameLabel = "kubernetes.io/service-name";
    private const string ByService = "service";

    private readonly IInformer<V1EndpointSlice> _slices;

    public EndpointSliceReader(IInformer<V1EndpointSlice> slices)
    {
        _slices = slices;
        _slices.AddIndex(ByService, slice => ServiceOf(slice) is { } service ? [$"{slice.Namespace()}/{service}"] : []);
    }

    public bool IsSynced => _slices.IsSynced;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _slices.WaitForSyncAsync(cancellationToken);

    public IReadOnlyList<ServiceEndpoint> Of(string namespaceName, string service) =>
        [.. _slices.ByIndex(ByService, $"{namespaceName}/{service}").SelectMany(Ready).Distinct()];

    public void Subscribe(Action<string, string> onChange) => _slices.Subscribe(change =>
    {
        if (ServiceOf(change.Current) is { } service) onChange(change.Current.Namespace(), service);
    });

    public Task RunAsync(CancellationToken cancellationToken) => _slices.RunAsync(cancellationToken);

    private static IEnumerable<ServiceEndpoint> Ready(V1EndpointSlice slice) => (slice.Endpoints ?? [])
        .Where(e => e.Conditions?.Ready != false)
        .SelectMany(e => e.Addresses.Select(a => new ServiceEndpoint(a, slice.Ports?.FirstOrDefault()?.Port ?? 0)));

    private static string? ServiceOf(V1EndpointSlice slice) => slice.Metadata.Labels?.TryGetValue(ServiceNameLabel, out var name) == true ? name : null;
}

/// <summary>The first of the two that the API server serves; it is asked when the watching begins.</summary>
public sealed class ServedEndpoints(
    Runtime.Kubernetes.IKubernetesApi api, Func<IServiceEndpoints> slices, Func<IServiceEndpoints> endpoints, TimeProvider time) : IServiceEndpoints
{
    private readonly Milestone _isChosen = new();
    private IServiceEndpoints? _served;
    private readonly List<Action<string, string>> _subscribers = [];

    public bool IsSynced => _isChosen.IsReached && _served!.IsSynced;

    public async Task WaitForSyncAsync(CancellationToken cancellationToken)
    {
        await _isChosen.WaitAsync(cancellationToken);
        await _served!.WaitForSyncAsync(cancellationToken);
    }

    public IReadOnlyList<ServiceEndpoint> Of(string namespaceName, string service) => _isChosen.IsReached ? _served!.Of(namespaceName, service) : [];

    public void Subscribe(Action<string, string> onChange) => _subscribers.Add(onChange);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var served = await Discovery.IsServedAsync(api, "discovery.k8s.io", "v1", "endpointslices", time, cancellationToken) ? slices() : endpoints();
        foreach (var subscriber in _subscribers) served.Subscribe(subscriber);
        _served = served;
        _isChosen.Reach();
        await served.RunAsync(cancellationToken);
    }
}
