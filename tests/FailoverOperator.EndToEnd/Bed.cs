using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd;

/// <summary>A cluster with the operator in it.</summary>
public sealed class Bed : IAsyncDisposable
{
    private Bed(TestCluster cluster, OperatorRelease release)
    {
        Cluster = cluster;
        Release = release;
    }

    public TestCluster Cluster { get; }

    public OperatorRelease Release { get; }

    public static async Task<Bed> CreateAsync()
    {
        var cluster = await TestCluster.AcquireAsync();
        var release = new OperatorRelease(cluster, await Helm.FindAsync(cluster.Kubeconfig));
        await release.InstallAsync();
        return new Bed(cluster, release);
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
