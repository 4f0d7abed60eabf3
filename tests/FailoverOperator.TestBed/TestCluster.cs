using System.Net.Sockets;
using k8s;

namespace FailoverOperator.TestBed;

/// <summary>A cluster to test in.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly Func<ValueTask>? release;

    internal TestCluster(string description, string kubeconfig, INodePower? nodes, Func<ValueTask>? release = null)
    {
        Description = description;
        Kubeconfig = kubeconfig;
        Nodes = nodes;
        this.release = release;
        Client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        Kubectl = new Kubectl(kubeconfig);
    }

    public string Description { get; }

    /// <summary>Path of the kubeconfig of an administrator.</summary>
    public string Kubeconfig { get; }

    public Kubernetes Client { get; }

    public Kubectl Kubectl { get; }

    /// <summary>Null: nodes of this cluster cannot be switched off, so that what needs it is not tested here.</summary>
    public INodePower? Nodes { get; }

    /// <summary>
    /// <c>FAILOVER_KUBECONFIG</c> if set; else K3s where a Docker engine answers; else the local cluster, brought up if it is down.
    /// </summary>
    public static async Task<TestCluster> AcquireAsync()
    {
        if (Environment.GetEnvironmentVariable("FAILOVER_KUBECONFIG") is { Length: > 0 } given) return new TestCluster($"given by {given}", given, null);
        return await DockerAnswersAsync() ? await K3sCluster.StartAsync() : await LocalCluster.UpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (release is not null) await release();
    }

    private static async Task<bool> DockerAnswersAsync()
    {
        const string socketPath = "/var/run/docker.sock";
        if (!File.Exists(socketPath)) return false;
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            return (await http.GetAsync("http://docker/_ping")).IsSuccessStatusCode;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
