using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using FailoverOperator.Observing;
using k8s.Models;

namespace FailoverOperator.Tests.Operator;

/// <summary>Fencing Jobs as the operator sees them.</summary>
public class FencingJobTests
{
    private static readonly Failover Failover = new() { Metadata = new V1ObjectMeta { Name = "db-0-2", Uid = "uid" } };

    [Theory]
    [InlineData("db-0-2", "db-0-2-fence")]
    [InlineData("a-group-whose-name-leaves-just-enough-room-for-the-suffix-0-12", null)]
    [InlineData("a-group-with-a-name-that-is-as-long-as-names-of-groups-may-well-be-in-some-companies-0-12", null)]
    public void A_Job_has_a_name_that_fits_a_label(string failover, string? name)
    {
        var given = FencingJobReader.NameOf(failover);
        Assert.InRange(given.Length, 1, 63);
        Assert.Matches("^[a-z0-9-]+-fence$", given);
        Assert.NotEqual(given, FencingJobReader.NameOf(failover[..^1] + "3"));
        if (name is not null) Assert.Equal(name, given);
    }

    public static TheoryData<V1Job?, JobObservation> Cases => new()
    {
        { null, new JobObservation.NotCreated() },
        { Job(), new JobObservation.Running() },
        { Job(("Complete", "False")), new JobObservation.Running() },
        { Job(("SuccessCriteriaMet", "True")), new JobObservation.Running() },
        { Job(("Complete", "True")), new JobObservation.Succeeded() },
        { Job(("Failed", "True")), new JobObservation.Failed("Job db-0-2-fence failed: DeadlineExceeded: too slow") },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void A_Job_is_what_its_conditions_say(V1Job? job, JobObservation expected) => Assert.Equal(expected, FencingJobReader.Read(job, Failover));

    [Fact]
    public void A_Job_that_somebody_else_made_proves_nothing()
    {
        var foreign = Job(("Complete", "True"));
        foreign.Metadata.OwnerReferences[0].Uid = "another";
        Assert.Contains("not of this failover", Assert.IsType<JobObservation.Failed>(FencingJobReader.Read(foreign, Failover)).Message);
        foreign.Metadata.OwnerReferences = null;
        Assert.IsType<JobObservation.Failed>(FencingJobReader.Read(foreign, Failover));
    }

    private static V1Job Job(params (string Type, string Status)[] conditions) => new()
    {
        Metadata = new V1ObjectMeta { Name = "db-0-2-fence", OwnerReferences = [new V1OwnerReference { Uid = "uid", Controller = true }] },
        Status = new V1JobStatus { Conditions = [.. conditions.Select(c => new V1JobCondition { Type = c.Type, Status = c.Status, Reason = "DeadlineExceeded", Message = "too slow" })] },
    };
}
