using System.Collections.Concurrent;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>
/// The groups' leases as they are known newest, and for how long each has surely not changed, on this process's own clock.
/// Invariant: what could not have been seen has not been observed. Time in which the API server was silent does not count, and a lease
/// is taken for expired only when a read that was begun after that moment has told the same: a watch may be dead and nobody know.
/// </summary>
public sealed partial class LeaseLog
{
    /// <summary>Bound of the read that confirms an expiry; the client's own is for a patient caller.</summary>
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly ConcurrentDictionary<ObjectKey, Entry> _entries = new();
    private readonly IInformer<V1Lease> _leases;
    private readonly IKubernetesApi _api;
    private readonly ApiHealth _health;
    private readonly OperatorClock _clock;
    private readonly ILogger<LeaseLog> _logger;

    /// <summary>Made before the watch is started, so that no change is missed.</summary>
    public LeaseLog(IInformer<V1Lease> leases, IKubernetesApi api, ApiHealth health, OperatorClock clock, ILogger<LeaseLog> logger)
    {
        (_leases, _api, _health, _clock, _logger) = (leases, api, health, clock, logger);
        leases.Subscribe(change =>
        {
            var key = new ObjectKey(change.Current.Namespace(), change.Current.Name());
            if (change.Change is CacheChange.Deleted or CacheChange.DeletedUnseen) NoteDeleted(key, change.Current);
            else Note(key, change.Current);
        });
    }

    public static ObjectKey KeyOf(RedundancyGroup group) => new(group.Namespace(), LeaseContract.LeaseName(group.Name(), ApiGroup.FirstSlot));

    /// <summary>The newest state that is known, to be changed and written. Null: there is none.</summary>
    public V1Lease? Newest(RedundancyGroup group) => Of(KeyOf(group)).Lease;

    public LeaseObservation Observe(RedundancyGroup group)
    {
        var entry = Of(KeyOf(group));
        var (observation, duration) = Judge(group, entry);
        return IsConfirmed(entry, observation, duration) ? observation : observation with { UnchangedFor = duration - Tick };
    }

    /// <summary>When the lease will have expired if nobody changes it. Zero or less: it has.</summary>
    public TimeSpan ExpiresIn(RedundancyGroup group)
    {
        var (observation, duration) = Judge(group, Of(KeyOf(group)));
        return duration - observation.UnchangedFor;
    }

    /// <summary>
    /// Reads the lease where it would be taken for expired now and no read has confirmed that yet. A read that fails confirms nothing.
    /// </summary>
    public async Task ConfirmAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        var entry = Of(KeyOf(group));
        var (observation, duration) = Judge(group, entry);
        if (IsConfirmed(entry, observation, duration)) return;
        try
        {
            await ReadAsync(group, cancellationToken);
        }
        catch (KubernetesApiException)
        {
            // The next look tries again.
        }
    }

    /// <summary>Reads the lease now, whatever the watch says.</summary>
    public async Task ReadAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        var key = KeyOf(group);
        using var deadline = new CancellationTokenSource(ReadTimeout, _clock.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var sentAt = _clock.Now;
        try
        {
            NoteRead(key, await _api.GetAsync<V1Lease>(key.Namespace, key.Name, both.Token), sentAt);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubernetesApiException(ApiFailure.Unreachable, $"get Lease {key}: no answer within {ReadTimeout.TotalSeconds:0} s", e);
        }
    }

    /// <summary>Takes in what the API server answered to a write or a read: the watch may tell it only later.</summary>
    public void Note(ObjectKey key, V1Lease lease) =>
        _entries.AddOrUpdate(key, _ => Make(lease), (_, known) => IsNewer(lease, known.Lease) ? Make(lease, known) : known);

    /// <summary>Forgets leases of groups that are gone.</summary>
    public void Forget(RedundancyGroup group) => _entries.TryRemove(KeyOf(group), out _);

    /// <summary>That there is none is observed too, from the first question on.</summary>
    private Entry Of(ObjectKey key) => _entries.GetOrAdd(key, _ => _leases.TryGet(key, out var lease) ? Make(lease) : Absent());

    private (LeaseObservation Observation, TimeSpan Duration) Judge(RedundancyGroup group, Entry entry)
    {
        var (known, answering) = (_clock.Now - entry.Since, _health.AnsweringFor);
        var observation = new LeaseObservation(entry.Reading?.Record, known < answering ? known : answering) { Unreadable = entry.Reading?.Unreadable ?? [] };
        return (observation, observation.Duration(TimeSpan.FromSeconds(group.Spec.Detection.LeaseDurationSeconds)));
    }

    /// <summary>It has not expired, or a read that was begun after the expiry has told the same.</summary>
    private bool IsConfirmed(Entry entry, LeaseObservation observation, TimeSpan duration) =>
        observation.UnchangedFor < duration || entry.ReadAt - (_clock.Now - observation.UnchangedFor) >= duration;

    private void NoteRead(ObjectKey key, V1Lease? lease, TimeSpan sentAt) => _entries.AddOrUpdate(
        key,
        _ => lease is null ? Absent() : Make(lease),
        (_, known) => IsSame(lease, known.Lease) ? known with { ReadAt = sentAt }
            : lease is null ? Absent()
            : IsNewer(lease, known.Lease) ? Make(lease, known)
            : known);

    private void NoteDeleted(ObjectKey key, V1Lease last) => _entries.AddOrUpdate(
        key,
        _ => Absent(),
        (_, known) => known.Lease is null || known.Lease.Uid() != last.Uid() ? known : Absent());

    private Entry Absent() => new(null, null, _clock.Now, null);

    private Entry Make(V1Lease lease, Entry? before = null)
    {
        var reading = LeaseCodec.Read(lease, before is { Lease: { } was, Reading: { } read } ? (was, read) : null);
        if (reading.Unreadable.Count > 0) LogUnreadable(lease.Namespace(), lease.Name(), string.Join(", ", reading.Unreadable));
        return new Entry(lease, reading, _clock.Now, null);
    }

    private static bool IsSame(V1Lease? one, V1Lease? other) => one?.ResourceVersion() == other?.ResourceVersion() && one?.Uid() == other?.Uid();

    /// <summary>Of two incarnations the one that was created later is the newer.</summary>
    private static bool IsNewer(V1Lease lease, V1Lease? known) => known is null || Version(lease) > Version(known);

    private static ulong Version(V1Lease lease) => ResourceVersions.Number(lease.ResourceVersion());

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Namespace}: annotations of Lease {Lease} cannot be read: {Annotations}")]
    private partial void LogUnreadable(string @namespace, string lease, string annotations);

    /// <param name="Lease">Null: there is none.</param>
    /// <param name="Since">When its last change, or its absence, was observed.</param>
    /// <param name="ReadAt">When the last read that told the same was sent. Null: none was.</param>
    private sealed record Entry(V1Lease? Lease, LeaseReading? Reading, TimeSpan Since, TimeSpan? ReadAt);
}
