using System.Diagnostics;

namespace FailoverOperator.TestBed;

/// <summary>The cluster of tests/cluster: several nodes on this machine, from Debian's packages alone.</summary>
public sealed class LocalCluster : INodePower
{
    private const string Kubeconfig = "/var/lib/failover-cluster/admin.kubeconfig";
    private const string LockFile = "/run/failover-cluster-tests.lock";
    private static readonly TimeSpan UpDeadline = TimeSpan.FromMinutes(25);
    private static readonly TimeSpan LockDeadline = TimeSpan.FromMinutes(30);
    private readonly CommandLine node = new(Repository.PathOf("tests/cluster/node"));

    /// <summary>Nodes count as dead after 8 s and their pods are evicted 5 s later, so that a test need not wait for minutes.</summary>
    internal static async Task<TestCluster> UpAsync()
    {
        // They share the operator, and some take it or a node away: one test run at a time.
        var turn = await Poll.UntilAsync("another test run on this cluster to end", LockDeadline, () => Task.FromResult(TryLock()));
        await new CommandLine(Repository.PathOf("tests/cluster/up"))
            .RunAsync(["--nodes", "3", "--node-grace", "8", "--pod-eviction", "5"], deadline: UpDeadline);
        return new TestCluster("local, 3 nodes", Kubeconfig, new LocalCluster(), turn.DisposeAsync);
    }

    /// <summary>The lock goes with the process. Null: somebody else has it.</summary>
    private static FileStream? TryLock()
    {
        try
        {
            return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public string ControlPlane => "control-plane";

    public Task CutAsync(string name) => node.RunAsync(["kill", name]);

    public Task RestoreAsync(string name) => node.RunAsync(["start", name]);

    public Task PartitionAsync(string name) => node.RunAsync(["partition", name]);

    public Task HealAsync(string name) => node.RunAsync(["heal", name]);

    public Task FreezeAsync(string name) => node.RunAsync(["freeze", name]);

    public Task ThawAsync(string name) => node.RunAsync(["thaw", name]);

    public async Task<IArmedSignal> ArmAsync(string name, string containerId, string signal)
    {
        const string script = """
            pid=$(ctr --namespace k8s.io tasks list | awk -v id="$1" '$1 == id { print $2 }')
            [ -n "$pid" ] || exit 1
            echo armed
            read -r fire && kill -s "$2" "$pid" && echo "$fire"
            """;
        var process = node.Start(["exec", name, "bash", "-c", script, "signal", containerId[(containerId.LastIndexOf('/') + 1)..], signal]);
        var armed = new ArmedSignal(process);
        await armed.ExpectAsync("armed");
        return armed;
    }

    private sealed class ArmedSignal(Process process) : IArmedSignal
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

        public async Task FireAsync()
        {
            await process.StandardInput.WriteLineAsync("fired");
            await process.StandardInput.FlushAsync();
            await ExpectAsync("fired");
        }

        public async Task ExpectAsync(string answer)
        {
            using var cancellation = new CancellationTokenSource(Deadline);
            if (await process.StandardOutput.ReadLineAsync(cancellation.Token) != answer)
                throw new CommandFailedException($"cannot send the signal: {await process.StandardError.ReadToEndAsync(cancellation.Token)}");
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
