using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Leases;

/// <summary>From a Lease to the core's words, and what the agent writes into it. No judgement.</summary>
internal static class LeaseCodec
{
    private static volatile Tuple<string, LeaseTerms>? _last;

    /// <summary>What cannot be read errs on the strict side: terms that are never accepted, a claim that somebody made, no release.</summary>
    public static LeaseRecord Read(LeaseObject lease)
    {
        var duration = lease.Spec?.LeaseDurationSeconds is > 0 and var told ? told : new LeaseTerms().LeaseDurationSeconds;
        var unknown = new LeaseTerms { LeaseDurationSeconds = duration };
        return new LeaseRecord
        {
            Holder = string.IsNullOrEmpty(lease.Spec?.HolderIdentity) ? null : lease.Spec.HolderIdentity,
            Term = lease.Spec?.LeaseTransitions ?? 0,
            Assignment = Annotation(lease, LeaseContract.AssignmentAnnotation),
            // No timings are safe with a duration of nothing.
            Terms = ParseTerms(lease, LeaseContract.TermsAnnotation) ?? new LeaseTerms { LeaseDurationSeconds = 0 },
            Accepted = Terms(LeaseContract.AcceptedAnnotation),
            Pledged = Terms(LeaseContract.PledgedAnnotation),
            Floor = Parse(lease, LeaseContract.FloorAnnotation, AgentJson.Default.HistoryFloor, floor => floor is { History: not null, Unseen: >= 0 }),
            Release = Parse(lease, LeaseContract.ReleaseAnnotation, AgentJson.Default.ReleaseNote, note => note.Holder is not null),
            HandOver = Annotation(lease, LeaseContract.HandOverAnnotation),
            Version = lease.Metadata?.ResourceVersion ?? "",
        };

        LeaseTerms? Terms(string annotation) =>
            Annotation(lease, annotation) is null ? null : ParseTerms(lease, annotation) ?? unknown;
    }

    /// <summary>A merge patch. The time is a value that changes, which nobody compares with a clock.</summary>
    public static byte[] Renewal(LeaseRecord read, LeaseTerms accepted, DateTimeOffset now) => Patch(
        read,
        annotations =>
        {
            if (accepted != read.Accepted) annotations.WriteString(LeaseContract.AcceptedAnnotation, JsonSerializer.Serialize(accepted, AgentJson.Default.LeaseTerms));
        },
        // The API server takes six digits of fraction, always.
        spec => spec.WriteString("renewTime", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)));

    /// <summary>A merge patch: null removes.</summary>
    public static byte[] Release(LeaseRecord read, ReleaseNote note) => Patch(
        read,
        annotations =>
        {
            annotations.WriteString(LeaseContract.ReleaseAnnotation, JsonSerializer.Serialize(note, AgentJson.Default.ReleaseNote));
            annotations.WriteNull(LeaseContract.AssignmentAnnotation);
        },
        spec => spec.WriteNull("holderIdentity"));

    private static byte[] Patch(LeaseRecord read, Action<Utf8JsonWriter> annotations, Action<Utf8JsonWriter> spec)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteString("resourceVersion", read.Version);
            json.WriteStartObject("annotations");
            annotations(json);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("spec");
            spec(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The same text again, as with most renewals, is not read again.</summary>
    private static LeaseTerms? ParseTerms(LeaseObject lease, string annotation)
    {
        if (_last is var (text, terms) && text == Annotation(lease, annotation)) return terms;
        var parsed = Parse(lease, annotation, AgentJson.Default.LeaseTerms, IsWhole);
        if (parsed is not null) _last = Tuple.Create(Annotation(lease, annotation)!, parsed);
        return parsed;
    }

    private static T? Parse<T>(LeaseObject lease, string annotation, JsonTypeInfo<T> type, Func<T, bool> isWhole)
        where T : class
    {
        if (Annotation(lease, annotation) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize(text, type) is { } value && isWhole(value) ? value : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Annotation(LeaseObject lease, string name) => lease.Metadata?.Annotations?.GetValueOrDefault(name);

    /// <summary>JSON may hold nulls and numbers where there can be none.</summary>
    private static bool IsWhole(LeaseTerms terms) =>
        terms is { LeaseDurationSeconds: > 0, RenewIntervalMilliseconds: > 0, StopAfterMilliseconds: > 0, DemoteTimeoutMilliseconds: >= 0, SynchronousStandbys: >= 0, Members: not null }
        && terms.Members.All(m => m is { Name: not null, Uid: not null, Address: not null });
}
