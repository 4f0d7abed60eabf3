using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>A lease in the core's words.</summary>
/// <param name="Unreadable">The annotations that cannot be read.</param>
public sealed record LeaseReading(LeaseRecord Record, IReadOnlyList<string> Unreadable);

/// <summary>Translates the slot's Lease into the core's words, and what the operator writes into it back. No judgement.</summary>
public static class LeaseCodec
{
    /// <summary>
    /// An annotation that cannot be read errs on the strict side: terms without members, which the operator puts right by writing
    /// its own; accepted or pledged ones that name nobody, so that nobody is promoted on their account; no release.
    /// </summary>
    /// <param name="before">What was read last: with a mere renewal it is taken from there.</param>
    public static LeaseReading Read(V1Lease lease, (V1Lease Lease, LeaseReading Reading)? before = null)
    {
        if (before is { Reading.Unreadable.Count: 0 } known && IsMereRenewal(known.Lease, lease)) return known.Reading with
        {
            Record = known.Reading.Record with { Version = lease.ResourceVersion() ?? "" },
        };
        var unreadables = new List<string>();
        var seconds = lease.Spec?.LeaseDurationSeconds is > 0 and var told ? told : new LeaseTerms().LeaseDurationSeconds;
        var unknown = new LeaseTerms { LeaseDurationSeconds = seconds };
        var record = new LeaseRecord
        {
            Holder = string.IsNullOrEmpty(lease.Spec?.HolderIdentity) ? null : lease.Spec.HolderIdentity,
            Term = lease.Spec?.LeaseTransitions ?? 0,
            Assignment = Annotation(lease, LeaseContract.AssignmentAnnotation),
            Terms = Parse(LeaseContract.TermsAnnotation, AgentJson.Default.LeaseTerms, unknown) ?? unknown,
            Accepted = Parse(LeaseContract.AcceptedAnnotation, AgentJson.Default.LeaseTerms, unknown),
            Pledged = Parse(LeaseContract.PledgedAnnotation, AgentJson.Default.LeaseTerms, unknown),
            Floor = Parse(LeaseContract.FloorAnnotation, AgentJson.Default.HistoryFloor, null),
            Release = Parse(LeaseContract.ReleaseAnnotation, AgentJson.Default.ReleaseNote, null),
            HandOver = Annotation(lease, LeaseContract.HandOverAnnotation),
            Version = lease.ResourceVersion() ?? "",
        };
        return new(record, unreadables);

        T? Parse<T>(string annotation, JsonTypeInfo<T> type, T? unreadable)
            where T : class
        {
            if (Annotation(lease, annotation) is not { } text) return null;
            if (TryParse(text, type) is { } value && IsWhole(value)) return value;
            unreadables.Add(annotation);
            return unreadable;
        }
    }

    /// <summary>
    /// The lease with what the record says, to replace <paramref name="current"/> (null: to be created). No owner: a group that is
    /// deleted leaves its workload at work, and an agent whose lease has gone makes its server read-only.
    /// </summary>
    public static V1Lease Write(V1Lease? current, string namespaceName, string group, LeaseRecord record, DateTimeOffset now)
    {
        var name = LeaseContract.LeaseName(group, ApiGroup.FirstSlot);
        var lease = current is null
            ? new V1Lease { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName } }
            : EntityJson.Copy(current);
        lease.Metadata.Labels ??= new Dictionary<string, string>();
        // The operator finds leases by these.
        lease.Metadata.Labels[ApiGroup.GroupLabel] = group;
        lease.Metadata.Labels[ApiGroup.SlotLabel] = ApiGroup.FirstSlot;
        lease.Spec ??= new V1LeaseSpec();
        if (record.Holder is not null && (lease.Spec.HolderIdentity != record.Holder || lease.Spec.LeaseTransitions != record.Term))
            lease.Spec.AcquireTime = lease.Spec.RenewTime = now.UtcDateTime;
        lease.Spec.HolderIdentity = record.Holder;
        lease.Spec.LeaseTransitions = checked((int)record.Term);
        lease.Spec.LeaseDurationSeconds = record.Terms.LeaseDurationSeconds;
        Annotate(lease, LeaseContract.AssignmentAnnotation, record.Assignment);
        Annotate(lease, LeaseContract.TermsAnnotation, Text(record.Terms, AgentJson.Default.LeaseTerms));
        Annotate(lease, LeaseContract.AcceptedAnnotation, Text(record.Accepted, AgentJson.Default.LeaseTerms));
        Annotate(lease, LeaseContract.PledgedAnnotation, Text(record.Pledged, AgentJson.Default.LeaseTerms));
        Annotate(lease, LeaseContract.FloorAnnotation, Text(record.Floor, AgentJson.Default.HistoryFloor));
        Annotate(lease, LeaseContract.ReleaseAnnotation, Text(record.Release, AgentJson.Default.ReleaseNote));
        Annotate(lease, LeaseContract.HandOverAnnotation, record.HandOver);
        return lease;
    }

    /// <summary>
    /// Nothing has changed but the time of the renewal. Everything that is there is compared, not what is read of it: what is added to leases later
    /// is not forgotten here.
    /// </summary>
    public static bool IsMereRenewal(V1Lease before, V1Lease after) =>
        before is { Spec: { } was } && after is { Spec: { } now }
        && before.Uid() == after.Uid()
        && was.RenewTime is not null && now.RenewTime is not null
        && was.RenewTime != now.RenewTime
        && (was.HolderIdentity, was.LeaseTransitions, was.LeaseDurationSeconds, was.AcquireTime)
        == (now.HolderIdentity, now.LeaseTransitions, now.LeaseDurationSeconds, now.AcquireTime)
        && after.Metadata.DeletionTimestamp is null
        && AreSame(before.Metadata.Annotations, after.Metadata.Annotations)
        && AreSame(before.Metadata.Labels, after.Metadata.Labels);

    private static bool AreSame(IDictionary<string, string>? one, IDictionary<string, string>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0)
        && (one is null || one.All(pair => other!.TryGetValue(pair.Key, out var value) && value == pair.Value));

    private static string? Text<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? null : JsonSerializer.Serialize(value, type);

    private static void Annotate(V1Lease lease, string name, string? value)
    {
        lease.Metadata.Annotations ??= new Dictionary<string, string>();
        if (value is null) lease.Metadata.Annotations.Remove(name);
        else lease.Metadata.Annotations[name] = value;
    }

    private static string? Annotation(V1Lease lease, string name) =>
        lease.Metadata.Annotations?.TryGetValue(name, out var text) == true ? text : null;

    private static T? TryParse<T>(string text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>JSON may hold nulls and numbers where there can be none.</summary>
    private static bool IsWhole<T>(T value) => value switch
    {
        LeaseTerms terms => terms is { LeaseDurationSeconds: > 0, RenewIntervalMilliseconds: > 0, StopAfterMilliseconds: > 0 }
            && terms is { DemoteTimeoutMilliseconds: >= 0, SynchronousStandbys: >= 0, Members: not null }
            && terms.Members.All(m => m is { Name: not null, Uid: not null, Address: not null }),
        ReleaseNote note => note.Holder is not null,
        HistoryFloor floor => floor is { History: not null, Unseen: >= 0 },
        _ => true,
    };
}
