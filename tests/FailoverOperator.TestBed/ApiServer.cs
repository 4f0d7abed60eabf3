using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using k8s;

namespace FailoverOperator.TestBed;

/// <summary>
/// A kube-apiserver and its etcd on loopback, and nothing else: no controllers, no scheduler, no kubelets. Objects
/// change only when the test changes them.
/// </summary>
public sealed class ApiServer : IAsyncDisposable
{
    private const string Token = "test";
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BuildDeadline = TimeSpan.FromMinutes(25);

    private readonly string folder;
    private readonly ChildProcess etcd;
    private readonly ChildProcess server;

    private ApiServer(string folder, int port, ChildProcess etcd, ChildProcess server)
    {
        this.folder = folder;
        this.etcd = etcd;
        this.server = server;
        Client = new Kubernetes(new KubernetesClientConfiguration { Host = $"https://127.0.0.1:{port}", AccessToken = Token, SkipTlsVerify = true });
        File.WriteAllText(Kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{ name: test, context: { cluster: test, user: test } }]
            clusters: [{ name: test, cluster: { server: "https://127.0.0.1:{{port}}", insecure-skip-tls-verify: true } }]
            users: [{ name: test, user: { token: "{{Token}}" } }]
            """);
        Kubectl = new Kubectl(Kubeconfig);
    }

    public Kubernetes Client { get; }

    public Kubectl Kubectl { get; }

    public string Kubeconfig => Path.Combine(folder, "kubeconfig");

    public static async Task<ApiServer> StartAsync()
    {
        // Nothing to do when the binaries are there.
        await new CommandLine(Repository.PathOf("tests/cluster/build-kubernetes")).RunAsync([], deadline: BuildDeadline);
        var folder = Directory.CreateTempSubdirectory("failover-api-").FullName;
        var (etcdPort, peerPort, port) = (FreePort(), FreePort(), FreePort());
        var etcd = new ChildProcess("etcd",
            "--data-dir", Path.Combine(folder, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
            "--listen-client-urls", $"http://127.0.0.1:{etcdPort}", "--advertise-client-urls", $"http://127.0.0.1:{etcdPort}",
            "--listen-peer-urls", $"http://127.0.0.1:{peerPort}", "--initial-advertise-peer-urls", $"http://127.0.0.1:{peerPort}",
            "--initial-cluster", $"default=http://127.0.0.1:{peerPort}");
        var started = new ApiServer(folder, port, etcd, StartServer(folder, port, etcdPort));
        try
        {
            await Poll.UntilAsync("the API server to be ready", StartDeadline, started.IsReadyAsync, () => Task.FromResult(etcd.Output + started.server.Output));
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await server.DisposeAsync();
        await etcd.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static ChildProcess StartServer(string folder, int port, int etcdPort)
    {
        var key = Path.Combine(folder, "service-accounts.key");
        using (var rsa = RSA.Create(2048)) File.WriteAllText(key, rsa.ExportRSAPrivateKeyPem());
        var tokens = Path.Combine(folder, "tokens.csv");
        File.WriteAllText(tokens, $"{Token},test,test,system:masters\n");
        return new ChildProcess(Path.Combine(Repository.KubernetesBinaries, "kube-apiserver"),
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", $"--secure-port={port}", $"--cert-dir={folder}", $"--etcd-servers=http://127.0.0.1:{etcdPort}",
            $"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=test", $"--service-account-signing-key-file={key}", $"--service-account-key-file={key}",
            // No controller creates the accounts that it would ask for.
            "--disable-admission-plugins=ServiceAccount");
    }

    private async Task<bool> IsReadyAsync() => (await Kubectl.TryAsync("get", "--raw", "/readyz")).Succeeded && (await Kubectl.TryAsync("get", "namespace", "default")).Succeeded;

    /// <summary>A port that was free a moment ago; on loopback, with random ports, nobody else takes it meanwhile.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
