using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Which changes of a lease are worth a look at its group.</summary>
public sealed class RestingGroupsTests
{
    private static readonly ObjectKey Group = new("shop", "db");
    private static readonly DateTime Then = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Decision Steady = new Decision.Steady(TimeSpan.FromSeconds(4));

    private readonly RestingGroups _resting = new();

    public static TheoryData<string, Action<V1Lease>> News => new()
    {
        { "another holder", l => l.Spec.HolderIdentity = "db-1/uid-1" },
        { "no holder", l => l.Spec.HolderIdentity = null },
        { "another term", l => l.Spec.LeaseTransitions = 4 },
        { "another duration", l => l.Spec.LeaseDurationSeconds = 6 },
        { "assigned anew", l => l.Spec.AcquireTime = Then.AddSeconds(1) },
        { "other terms are accepted", l => l.Metadata.Annotations[LeaseContract.AcceptedAnnotation] = "{ }" },
        { "the terms have gone", l => l.Metadata.Annotations.Clear() },
        { "a label has come", l => l.Metadata.Labels = new Dictionary<string, string> { ["a"] = "b" } },
        { "another object of its name", l => l.Metadata.Uid = "2" },
        { "it is being deleted", l => l.Metadata.DeletionTimestamp = Then },
        { "somebody wrote it without renewing", l => l.Spec.RenewTime = Then },
        { "never renewed before", l => l.Spec.RenewTime = null },
    };

    [Fact]
    public void A_renewal_is_no_news_to_a_group_that_rests()
    {
        Assert.True(_resting.IsConcerned(Group, Renewal()));
        _resting.Note(Group, new Verdict(new Diagnosis.Healthy(), null, Steady));
        Assert.False(_resting.IsConcerned(Group, Renewal()));
        Assert.True(_resting.IsConcerned(new ObjectKey("shop", "other"), Renewal()));
        _resting.Wake(Group);
        Assert.True(_resting.IsConcerned(Group, Renewal()));
    }

    [Theory]
    [MemberData(nameof(News))]
    public void Whatever_else_changes_is(string what, Action<V1Lease> change)
    {
        _resting.Note(Group, new Verdict(new Diagnosis.Healthy(), null, Steady));
        var after = Lease(1);
        change(after);
        Assert.True(_resting.IsConcerned(Group, new(CacheChange.Updated, Lease(0), after)), what);
    }

    [Theory]
    [InlineData(CacheChange.Added)]
    [InlineData(CacheChange.Deleted)]
    [InlineData(CacheChange.DeletedUnseen)]
    public void So_is_that_it_comes_or_goes(CacheChange change)
    {
        _resting.Note(Group, new Verdict(new Diagnosis.Healthy(), null, Steady));
        Assert.True(_resting.IsConcerned(Group, new(change, Lease(0), Lease(1))));
    }

    [Fact]
    public void No_group_rests_while_anything_is_the_matter()
    {
        var waiting = new Decision.Wait(TimeSpan.FromSeconds(1), "Reason", "why");
        foreach (var verdict in new[]
        {
            new Verdict(new Diagnosis.Healthy(), null, waiting),
            new Verdict(new Diagnosis.OperatorImpaired("blind"), null, Steady),
            new Verdict(new Diagnosis.PrimaryFailed(FailoverCause.PrimaryLeaseExpired, []), null, Steady),
        })
        {
            _resting.Note(Group, new Verdict(new Diagnosis.Healthy(), null, Steady));
            _resting.Note(Group, verdict);
            Assert.True(_resting.IsConcerned(Group, Renewal()), verdict.ToString());
        }
    }

    private static CacheEvent<V1Lease> Renewal() => new(CacheChange.Updated, Lease(0), Lease(1));

    private static V1Lease Lease(int renewals) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "db-0",
            NamespaceProperty = "shop",
            Uid = "1",
            ResourceVersion = $"{renewals}",
            Annotations = new Dictionary<string, string> { [LeaseContract.AcceptedAnnotation] = "{}" },
        },
        Spec = new V1LeaseSpec
        {
            HolderIdentity = "db-0/uid-0",
            LeaseTransitions = 3,
            LeaseDurationSeconds = 5,
            AcquireTime = Then,
            RenewTime = Then.AddSeconds(renewals),
        },
    };
}
