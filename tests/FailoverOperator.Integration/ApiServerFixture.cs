using FailoverOperator.Integration;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.TestBed;
using k8s.Models;

[assembly: AssemblyFixture(typeof(ApiServerFixture))]

namespace FailoverOperator.Integration;

/// <summary>One API server with the CRDs for all tests; each test has a namespace of its own.</summary>
public sealed class ApiServerFixture : IAsyncLifetime
{
    private ApiServer? _server;
    private int _namespaces;

    public ApiServer Server => _server ?? throw new InvalidOperationException("not initialised");

    /// <summary>The operator's own client.</summary>
    public IKubernetesApi Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        var options = new KubernetesApiOptions();
        var health = new ApiHealth(TimeProvider.System);
        Api = new KubernetesApi(new ApiTransport(ApiServerConnections.Of(_server.Client), options, health, TimeProvider.System, new Random(1)), options);
        await _server.Kubectl.ApplyCrdsAsync();
    }

    public async Task<string> CreateNamespaceAsync()
    {
        var name = $"test-{Interlocked.Increment(ref _namespaces)}";
        await Api.CreateAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = name } }, TestContext.Current.CancellationToken);
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}
