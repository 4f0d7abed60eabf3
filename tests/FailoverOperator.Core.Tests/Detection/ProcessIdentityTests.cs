using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using static FailoverOperator.Core.Tests.Given;

namespace FailoverOperator.Core.Tests.Detection;

public sealed class ProcessIdentityTests
{
    public static TheoryData<string, Func<Member, Member>, string?> Cases => new()
    {
        { "same run", m => m, null },
        { "silent", m => m.Silent(60), null },
        { "refused", m => m.Refused(9), null },
        { "not ready", m => m.NotReady(60), null },
        { "node down", m => m.OnNode(NodeState.NotReady).Silent(60), null },
        { "container ended", m => m.ContainerEnded().Silent(1), "container of db-0 has ended" },
        { "container restarted", m => m.ContainerRestarted().Refused(1), "container of db-0 has ended" },
        { "only the new id is reported", m => (m with { Pod = m.Pod with { ContainerId = "run-7" } }).Silent(1), "container of db-0 has ended" },
        { "another run ended before", m => (m with { Pod = m.Pod with { EndedContainerId = "run-0" } }).Silent(1), null },
        { "no id is reported", m => (m with { Pod = m.Pod with { ContainerId = null } }).Silent(1), null },
        { "server restarted", m => m.Says(s => s with { Instance = "server-2" }), "server of db-0 was restarted" },
        { "engine tells no instance any more", m => m.Says(s => s with { Instance = null }), null },
        { "the very run answers, the kubelet lags", m => m.ContainerEnded(), null },
    };

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Only_a_report_of_the_end_or_another_run_is_evidence(string what, Func<Member, Member> change, string? evidence)
    {
        var found = ProcessIdentity.EndOf(Reference("db-0"), change(Primary()));
        Assert.True(evidence is null ? found is null : found?.Contains(evidence) == true, $"{what}: {found}");
    }

    [Fact]
    public void What_the_reference_does_not_know_is_no_evidence()
    {
        var unknown = Reference("db-0") with { ContainerId = null, Instance = null };
        Assert.Null(ProcessIdentity.EndOf(unknown, Primary().ContainerRestarted().Says(s => s with { Instance = "server-2" })));
    }

    [Fact]
    public void A_reference_names_pod_node_container_and_server()
    {
        var reference = ProcessIdentity.ReferenceTo(Primary());
        Assert.Equal(("db-0", "uid-db-0", "node-0", "zone-0", "run-1-db-0", "server-1-db-0"),
            (reference.Name, reference.Uid, reference.Node, reference.Zone, reference.ContainerId, reference.Instance));
    }
}
