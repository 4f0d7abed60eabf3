using System.Collections.Concurrent;
using System.Diagnostics;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Benchmarks;

/// <summary>
/// What the members do of themselves: whom the lease names serves at once, and renews it; and what a cluster does: Services get endpoints.
/// </summary>
internal sealed class Holders(IKubernetesApi api, Members members)
{
    private static readonly TimeSpan RenewInterval = TimeSpan.FromMilliseconds(new LeaseTerms().RenewIntervalMilliseconds);

    private readonly ConcurrentDictionary<string, V1Lease> _leases = new();
    private readonly ConcurrentDictionary<string, bool> _renewing = new();

    public long FailedRenewals;

    /// <summary>By group: when the last renewal was acknowledged.</summary>
    public ConcurrentDictionary<string, long> RenewedAt { get; } = new();

    /// <summary>By group: the pod that its Service leads to, and since when.</summary>
    public ConcurrentDictionary<string, (string Pod, long At)> Traffic { get; } = new();

    public void Follow(IInformer<V1Lease> leases, IInformer<V1Service> services, CancellationToken stop)
    {
        leases.Subscribe(change => Note(change.Current, stop));
        services.Subscribe(change => _ = PointAsync(change.Current, stop));
    }

    private void Note(V1Lease lease, CancellationToken stop)
    {
        var group = lease.Metadata.Labels[ApiGroup.GroupLabel];
        _leases.AddOrUpdate(group, lease, (_, before) => Version(before) > Version(lease) ? before : lease);
        if (_renewing.TryAdd(group, true)) _ = RenewAsync(group, stop);
    }

    private async Task RenewAsync(string group, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var lease = _leases[group];
            var holder = members.Of(group).FirstOrDefault(m => m.Identity == lease.Spec.HolderIdentity);
            var renewed = holder is { IsLost: false } && await RenewAsync(group, holder, lease);
            // A new holder is not kept waiting; one that is lost renews no more.
            await Task.Delay(renewed ? RenewInterval : TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }

    private async Task<bool> RenewAsync(string group, Member holder, V1Lease lease)
    {
        var record = LeaseCodec.Read(lease).Record;
        var now = DateTimeOffset.UtcNow;
        var next = LeaseCodec.Write(lease, Fixture.Namespace, group, record.Renewed(record.Terms), now);
        next.Spec.RenewTime = now.UtcDateTime;
        try
        {
            var written = await api.ReplaceAsync(next, CancellationToken.None);
            _leases.AddOrUpdate(group, written, (_, before) => Version(before) > Version(written) ? before : written);
            foreach (var other in members.Of(group)) other.Serves = other == holder ? record.Term : null;
            RenewedAt[group] = Stopwatch.GetTimestamp();
            return true;
        }
        catch (KubernetesApiException)
        {
            Interlocked.Increment(ref FailedRenewals);
            return false;
        }
    }

    private async Task PointAsync(V1Service service, CancellationToken stop)
    {
        if (service.Namespace() != Fixture.Namespace || !service.Spec.Selector.TryGetValue(ApiGroup.PodNameLabel, out var pod)) return;
        var group = service.Spec.Selector["app"];
        if (Traffic.TryGetValue(group, out var before) && before.Pod == pod) return;
        Traffic[group] = (pod, Stopwatch.GetTimestamp());
        var address = members.Of(group).Single(m => m.Name == pod).Address;
        var endpoints = new V1Endpoints
        {
            Metadata = new V1ObjectMeta { Name = service.Name(), NamespaceProperty = Fixture.Namespace },
            Subsets = [new V1EndpointSubset { Addresses = [new V1EndpointAddress { Ip = address }], Ports = [new Corev1EndpointPort { Port = 5432 }] }],
        };
        if (before.Pod is null) await api.CreateAsync(endpoints, stop);
        else await api.MergePatchAsync<V1Endpoints>(Fixture.Namespace, service.Name(), new { subsets = endpoints.Subsets }, stop);
    }

    private static ulong Version(V1Lease lease) => ulong.Parse(lease.ResourceVersion(), System.Globalization.CultureInfo.InvariantCulture);
}
