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

    private static readonly LeaseRecord Assigned = ElectorProtocol.Assign(null, expired: false, Holder, 7, Terms);

    public static TheoryData<LeaseRecord> Records =>
    [
        Assigned,
        Assigned.Renewed(Terms with { SynchronousStandbys = 2 }),
        Assigned with { Pledged = Terms },
        Assigned with { Release = Note },
        Assigned with { Floor = new HistoryFloor("system:2", 1, new HistoryFloor("system:7", 0)) },
        ElectorProtocol.Revoke(Assigned.Renewed(Terms)),
        Assigned.Renewed(Terms).Released(Note with { Term = 7 }),
        ElectorProtocol.Recreate(7, Terms),
        new LeaseRecord(),
    ];

    /// <summary>Whatever stood there before: nothing of it is left, but what others wrote.</summary>
    [Theory]
    [MemberData(nameof(Records), DisableDiscoveryEnumeration = true)]
    public void What_is_written_is_read_back(LeaseRecord record)
    {
        var full = Stored(LeaseCodec.Write(null, "shop", "db", Assigned with { Accepted = Terms, Pledged = Terms, Release = Note, Floor = new HistoryFloor("system:1", 0) }, Now));
        full.Metadata.Annotations["somebody/else"] = "stays";
        foreach (var before in new[] { null, full })
        {
            var lease = Stored(LeaseCodec.Write(before, "shop", "db", record, Now));
            Assert.Equal((record with { Version = "5" }, 0), (LeaseCodec.Read(lease).Record, LeaseCodec.Read(lease).Unreadable.Count));
            Assert.Equal(("db-0", "shop", "db", "0"), (lease.Name(), lease.Namespace(), lease.Metadata.Labels[ApiGroup.GroupLabel], lease.Metadata.Labels[ApiGroup.SlotLabel]));
            Assert.Equal(record.Terms.LeaseDurationSeconds, lease.Spec.LeaseDurationSeconds);
            Assert.Null(lease.Metadata.OwnerReferences);
            if (before is not null) Assert.Equal("stays", lease.Metadata.Annotations["somebody/else"]);
        }
        Assert.Equal(Holder, full.Spec.HolderIdentity);
    }

    /// <summary>What is kept of an earlier reading is what would be read anew.</summary>
    [Theory]
    [MemberData(nameof(Records), DisableDiscoveryEnumeration = true)]
    public void What_was_read_before_changes_nothing(LeaseRecord record)
    {
        var unreadable = Stored(LeaseCodec.Write(null, "shop", "db", record, Now));
        unreadable.Metadata.Annotations[LeaseContract.TermsAnnotation] = "no terms";
        var lease = Stored(LeaseCodec.Write(null, "shop", "db", record, Now));
        lease.Metadata.ResourceVersion = "6";
        lease.Spec.RenewTime = unreadable.Spec.RenewTime = Now.UtcDateTime.AddSeconds(1);
        foreach (var before in Records.Select(r => Stored(LeaseCodec.Write(null, "shop", "db", r.Data, Now))).Append(unreadable))
        {
            var (anew, again) = (LeaseCodec.Read(lease), LeaseCodec.Read(lease, (before, LeaseCodec.Read(before))));
            Assert.Equal((anew.Record, anew.Unreadable.Count), (again.Record, again.Unreadable.Count));
            var (lost, lostAgain) = (LeaseCodec.Read(unreadable), LeaseCodec.Read(unreadable, (before, LeaseCodec.Read(before))));
            Assert.Equal((lost.Record, lost.Unreadable.Count), (lostAgain.Record, lostAgain.Unreadable.Count));
        }
    }

    /// <summary>The API server takes no other form.</summary>
    [Fact]
    public void A_whole_second_is_written_with_six_digits_of_fraction() =>
        Assert.Contains("\"renewTime\":\"2026-01-01T00:00:00.000000Z\"", EntityJson.Serialize(LeaseCodec.Write(null, "shop", "db", Assigned, Now)));

    [Fact]
    public void Only_a_new_holder_or_term_acquires_it()
    {
        var lease = Stored(LeaseCodec.Write(null, "shop", "db", Assigned, Now));
        var later = Now.AddSeconds(3);
        Assert.Equal(Now.UtcDateTime, LeaseCodec.Write(lease, "shop", "db", Assigned with { Terms = new LeaseTerms() }, later).Spec.AcquireTime);
        Assert.Equal(Now.UtcDateTime, LeaseCodec.Write(lease, "shop", "db", ElectorProtocol.Revoke(Assigned), later).Spec.RenewTime);
        Assert.Equal(later.UtcDateTime, LeaseCodec.Write(lease, "shop", "db", Assigned with { Term = 8 }, later).Spec.AcquireTime);
    }

    [Fact]
    public void A_lease_without_anything_is_held_by_nobody_in_term_0()
    {
        var reading = LeaseCodec.Read(new V1Lease { Metadata = new V1ObjectMeta { Name = "db-0" } });
        Assert.Empty(reading.Unreadable);
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
        var lease = LeaseCodec.Write(null, "shop", "db", Assigned with { Terms = Terms with { LeaseDurationSeconds = 60 } }, Now);
        string[] annotations = [LeaseContract.TermsAnnotation, LeaseContract.AcceptedAnnotation, LeaseContract.PledgedAnnotation, LeaseContract.ReleaseAnnotation];
        foreach (var annotation in annotations) lease.Metadata.Annotations[annotation] = nonsense;
        var reading = LeaseCodec.Read(lease);
        Assert.Equal(annotations, reading.Unreadable);
        // Nobody may be promoted on account of these; the lease is not taken for expired earlier than it says of itself.
        Assert.Empty(reading.Record.Accepted!.Members);
        Assert.Empty(reading.Record.Pledged!.Members);
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
}
