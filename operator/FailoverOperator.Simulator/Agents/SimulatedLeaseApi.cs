using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.ApiServers;
using k8s.Models;

namespace FailoverOperator.Simulator.Agents;

/// <summary>
/// The one lease, as <see cref="KubernetesLeaseApi"/> has it: the same JSON is written and read, with the same timeouts, over the simulated network.
/// </summary>
internal sealed class SimulatedLeaseApi(ApiConnection connection, string namespaceName, string name) : ILeaseApi
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchSilence = TimeSpan.FromSeconds(4);
    private static readonly ResourceKind Kind = ResourceKind.Of<V1Lease>();

    private readonly ObjectKey _key = new(namespaceName, name);
    private readonly Selector _selector = new(namespaceName, new ListOptions(FieldSelector: $"metadata.name={name}"));

    private ResourceStore Store => connection.Server.Store;

    private TimeProvider Time => connection.Process.Time;

    public Task<LeaseReply> ReadAsync(CancellationToken cancellationToken) => CallAsync("get", () => Store.Find(Kind, _key), cancellationToken);

    public Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken) =>
        PatchAsync(LeaseCodec.Renewal(read, accepted, Time.GetUtcNow()), cancellationToken);

    public Task<LeaseReply> ReleaseAsync(LeaseRecord read, ReleaseNote note, CancellationToken cancellationToken) =>
        PatchAsync(LeaseCodec.Release(read, note), cancellationToken);

    public async IAsyncEnumerable<LeaseRecord?> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var mailbox = new Mailbox<WatchEvent>();
        if (await OpenAsync(mailbox, cancellationToken) is not var (watch, lease)) yield break;
        using (watch)
        {
            yield return lease;
            while (await NextAsync(mailbox, cancellationToken) is { } change)
            {
                if (change.Type == WatchNoticeType.Deleted) yield return null;
                else if (change.Type != WatchNoticeType.Bookmark) yield return Read(change.Object);
            }
        }
    }

    private static LeaseRecord Read(StoredObject stored) =>
        stored.As(static json => LeaseCodec.Read(json.Deserialize(LeaseJson.Default.LeaseObject)!));

    private Task<LeaseReply> PatchAsync(byte[] patch, CancellationToken cancellationToken) =>
        CallAsync("patch", () => Store.Patch(Kind, _key, JsonNode.Parse(patch)!.AsObject()), cancellationToken);

    private async Task<LeaseReply> CallAsync(string verb, Func<StoredObject?> carryOut, CancellationToken cancellationToken)
    {
        try
        {
            var found = await connection.CallAsync(Request(verb), CallTimeout, carryOut, cancellationToken);
            return found is null ? new LeaseReply.Absent() : new LeaseReply.Found(Read(found));
        }
        catch (KubernetesApiException failure)
        {
            return failure.Failure switch
            {
                ApiFailure.NotFound => new LeaseReply.Absent(),
                ApiFailure.Conflict => new LeaseReply.Conflict(),
                _ => new LeaseReply.Failed(failure.Message),
            };
        }
    }

    /// <summary>A list, and a watch from there. Null: one of them failed.</summary>
    private async Task<(ServedWatch Watch, LeaseRecord? Lease)?> OpenAsync(Mailbox<WatchEvent> mailbox, CancellationToken cancellationToken)
    {
        try
        {
            var (objects, version) = await connection.CallAsync(Request("list"), CallTimeout, () => Store.List(Kind), cancellationToken);
            var lease = objects.FirstOrDefault(o => _selector.Matches(o.Json));
            var watch = await connection.CallAsync(
                Request("watch"), CallTimeout, () => connection.Server.Open(connection.Machine, Kind, version, _selector, mailbox),
                    cancellationToken);
            return (watch, lease is null ? null : Read(lease));
        }
        catch (KubernetesApiException)
        {
            return null;
        }
    }

    /// <summary>Null: the watch has ended, by itself, by an error, or because it was silent for too long.</summary>
    private async Task<WatchEvent?> NextAsync(Mailbox<WatchEvent> mailbox, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(WatchSilence, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await mailbox.TakeAsync(either.Token) is (true, var change) ? change : null;
        }
        catch (Exception failure) when (failure is KubernetesApiException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private ApiRequest Request(string verb) => new(verb, Kind.Kind, namespaceName, name);
}
