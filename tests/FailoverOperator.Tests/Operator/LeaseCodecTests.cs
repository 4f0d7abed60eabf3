using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>What stands in a Lease, and what the operator makes of it.</summary>
public class LeaseCodecTests
{
    private const string Holder = "db-1/uid-1";
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ReleaseNote Note = new("db-0/uid-0", 6, ReleaseReason.ProcessDown, 42, "exit code 137");

    private static readonly LeaseTerms Terms = new()
    {
        LeaseDurationSeconds = 7,
        SynchronousStandbys = 1,
        Members = [new LeaseMember("db-0", "uid-0", "10.0.0.1", 8008), new LeaseMember("db-1", "uid-1", "10.0.0.2", 8008)],
    };

    [Fact]
    public void An_assignment_is_read_back_as_it_was_meant()
    {
        var lease = Stored(LeaseCodec.Assigned(null, "shop", "db", Holder, 7, Terms, keepRelease: false, Now));
        Assert.Equal(("db-0", "shop"), (lease.Name(), lease.Namespace()));
        Assert.Equal(("db", "0"), (lease.Metadata.Labels[ApiGroup.GroupLabel], lease.Metadata.Labels[ApiGroup.SlotLabel]));
        Assert.Null(lease.Metadata.OwnerReferences);
        var reading = LeaseCodec.Read(lease);
        Assert.Null(reading.Problem);
        Assert.Equal(new LeaseRecord { Holder = Holder, Term = 7, Assignment = $"{Holder} 7", Terms = Terms, Version = "5" }, reading.Record);
        Assert.True(reading.Record.IsHeldBy(Holder));
    }

    /// <summary>The API server takes no other form.</summary>
    [Fact]
    public void A_whole_second_is_written_with_six_digits_of_fraction() =>
        Assert.Contains("\"renewTime\":\"2026-01-01T00:00:00.000000Z\"", EntityJson.Serialize(LeaseCodec.Assigned(null, "shop", "db", Holder, 7, Terms, false, Now)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_assignment_over_an_older_lease_forgets_what_was_accepted_and_keeps_a_release_only_if_told(bool keep)
    {
        var old = Stored(LeaseCodec.Assigned(null, "shop", "db", "db-0/uid-0", 6, Terms, false, Now));
        old.Metadata.Annotations[LeaseContract.AcceptedAnnotation] = old.Metadata.Annotations[LeaseContract.TermsAnnotation];
        old.Metadata.Annotations[LeaseContract.ReleaseAnnotation] = Json(Note);
        old.Metadata.Annotations["somebody/else"] = "stays";
        var record = LeaseCodec.Read(Stored(LeaseCodec.Assigned(old, "shop", "db", Holder, 7, Terms, keep, Now))).Record;
        Assert.Null(record.Accepted);
        Assert.Equal(keep ? Note : null, record.Release);
        Assert.Equal("stays", LeaseCodec.Assigned(old, "shop", "db", Holder, 7, Terms, keep, Now).Metadata.Annotations["somebody/else"]);
        Assert.Equal("db-0/uid-0", old.Spec.HolderIdentity);
    }

    [Fact]
    public void A_revoked_lease_has_no_holder_and_the_same_term()
    {
        var lease = LeaseCodec.Assigned(null, "shop", "db", Holder, 7, Terms, false, Now);
        lease.Metadata.Annotations[LeaseContract.AcceptedAnnotation] = lease.Metadata.Annotations[LeaseContract.TermsAnnotation];
        Assert.Equal(new LeaseRecord { Term = 7, Terms = Terms, Accepted = Terms, Version = "5" }, LeaseCodec.Read(Stored(LeaseCodec.Revoked(Stored(lease), "db"))).Record);
    }

    [Fact]
    public void Other_terms_leave_holder_term_and_what_is_accepted_alone()
    {
        var lease = LeaseCodec.Assigned(null, "shop", "db", Holder, 7, Terms, false, Now);
        lease.Metadata.Annotations[LeaseContract.AcceptedAnnotation] = lease.Metadata.Annotations[LeaseContract.TermsAnnotation];
        var changed = LeaseCodec.WithTerms(Stored(lease), "db", Terms with { LeaseDurationSeconds = 9 });
        var record = LeaseCodec.Read(Stored(changed)).Record;
        Assert.True(record.IsHeldBy(Holder));
        Assert.Equal((7, 9, 7), (record.Term, record.Terms.LeaseDurationSeconds, record.Accepted!.LeaseDurationSeconds));
        Assert.Equal(9, changed.Spec.LeaseDurationSeconds);
    }

    [Fact]
    public void A_lease_without_anything_is_held_by_nobody_in_term_0()
    {
        var reading = LeaseCodec.Read(new V1Lease { Metadata = new V1ObjectMeta { Name = "db-0" } });
        Assert.Null(reading.Problem);
        Assert.Equal((null, 0, null), (reading.Record.Holder, reading.Record.Term, reading.Record.Accepted));
    }

    [Theory]
    [InlineData("terms")]
    [InlineData("{\"members\":null}")]
    [InlineData("{\"members\":[null]}")]
    [InlineData("{\"members\":[{\"name\":\"db-0\"}]}")]
    [InlineData("{\"leaseDurationSeconds\":0}")]
    [InlineData("{\"leaseDurationSeconds\":\"5\"}")]
    [InlineData("null")]
    [InlineData("")]
    public void Annotations_that_cannot_be_read_are_taken_for_as_little_as_is_safe(string nonsense)
    {
        var lease = LeaseCodec.Assigned(null, "shop", "db", Holder, 7, Terms with { LeaseDurationSeconds = 60 }, false, Now);
        foreach (var annotation in new[] { LeaseContract.TermsAnnotation, LeaseContract.AcceptedAnnotation, LeaseContract.ReleaseAnnotation }) lease.Metadata.Annotations[annotation] = nonsense;
        var reading = LeaseCodec.Read(lease);
        Assert.Contains("failover-operator.io/accepted cannot be read", reading.Problem);
        // Nobody may be promoted on account of these; the lease is not taken for expired earlier than it says of itself.
        Assert.Empty(reading.Record.Accepted!.Members);
        Assert.Equal((60, 60), (reading.Record.Terms.LeaseDurationSeconds, reading.Record.Accepted.LeaseDurationSeconds));
        Assert.Null(reading.Record.Release);
        Assert.True(reading.Record.IsHeldBy(Holder));
    }

    private static V1Lease Stored(V1Lease lease)
    {
        var stored = EntityJson.Copy(lease);
        stored.Metadata.ResourceVersion = "5";
        return stored;
    }

    private static string Json(ReleaseNote note) => System.Text.Json.JsonSerializer.Serialize(note, AgentJson.Default.ReleaseNote);
}
