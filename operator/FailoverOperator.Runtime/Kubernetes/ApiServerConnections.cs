using k8s;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>Makes connections from KubernetesClient's configuration: kubeconfig, or the pod's service account.</summary>
public static class ApiServerConnections
{
    /// <summary>One for the process; it keeps a pool of connections.</summary>
    public static k8s.Kubernetes Connect()
    {
        var configuration = KubernetesClientConfiguration.IsInCluster()
            ? KubernetesClientConfiguration.InClusterConfig()
            : KubernetesClientConfiguration.BuildDefaultConfig();
        // Every call has a deadline of its own; watches and commands in pods may last.
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        return new k8s.Kubernetes(configuration);
    }

    public static ApiServerConnection Of(k8s.Kubernetes client) => new(client.HttpClient, client.BaseUri, client.Credentials);
}
