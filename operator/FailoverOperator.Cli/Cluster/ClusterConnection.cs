using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;

namespace FailoverOperator.Cli.Cluster;

/// <summary>Which cluster, as whom. Null: what the kubeconfig says.</summary>
public sealed record ClusterChoice(string? Kubeconfig = null, string? Context = null, string? Namespace = null);

/// <summary>A cluster, and the namespace that is meant where none is said.</summary>
public sealed record ClusterConnection(IKubernetesApi Api, string Namespace);

/// <summary>Finds the cluster as kubectl does: --kubeconfig, KUBECONFIG, ~/.kube/config, the pod's own service account.</summary>
public sealed class ClusterConnector(TimeProvider time, Random random, Func<string, string?> environment)
{
    /// <param name="warn">Is told of objects that cannot be read.</param>
    /// <exception cref="CliException">There is no such cluster or context.</exception>
    public ClusterConnection Connect(ClusterChoice choice, Action<string> warn)
    {
        var configuration = Configure(choice);
        // Every call has a deadline of its own; watches last.
        configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
        var options = new KubernetesApiOptions { FieldManager = "kubectl-failover", MaxRetries = 2 };
        var transport = new ApiTransport(ApiServerConnections.Of(new k8s.Kubernetes(configuration)), options, new ApiHealth(time), time, random);
        var api = new KubernetesApi(transport, options, u => warn($"{u.Kind} {u.Namespace}/{u.Name} cannot be read and is left out: {u.Problem}"));
        return new(api, choice.Namespace ?? (string.IsNullOrEmpty(configuration.Namespace) ? "default" : configuration.Namespace));
    }

    private KubernetesClientConfiguration Configure(ClusterChoice choice)
    {
        try
        {
            var files = Files(choice).Select(path => new FileInfo(path)).ToList();
            var present = files.Where(f => f.Exists).ToArray();
            if (choice.Kubeconfig is { } named && present.Length == 0) throw new CliException(ExitCodes.NoCluster, $"there is no file {named}");
            if (present.Length > 0) return KubernetesClientConfiguration.BuildConfigFromConfigObject(Load(present), choice.Context);
            if (KubernetesClientConfiguration.IsInCluster()) return KubernetesClientConfiguration.InClusterConfig();
        }
        catch (Exception e) when (e is KubeConfigException or IOException or YamlDotNet.Core.YamlException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.NoCluster, $"the kubeconfig cannot be used: {e.Message}", e);
        }
        throw new CliException(ExitCodes.NoCluster, "there is no kubeconfig; set KUBECONFIG, or name one with --kubeconfig");
    }

    /// <summary>Of what several files say of the same name, the first one holds, as for kubectl.</summary>
    private static K8SConfiguration Load(FileInfo[] files)
    {
        var all = files.Select(f => KubernetesClientConfiguration.LoadKubeConfig(f, useRelativePaths: true)).ToList();
        return new K8SConfiguration
        {
            CurrentContext = all.Select(c => c.CurrentContext).FirstOrDefault(c => !string.IsNullOrEmpty(c)),
            Contexts = [.. all.SelectMany(c => c.Contexts ?? []).DistinctBy(c => c.Name)],
            Clusters = [.. all.SelectMany(c => (c.Clusters ?? []).Select(one => Anchor(one, c.FileName))).DistinctBy(c => c.Name)],
            Users = [.. all.SelectMany(c => (c.Users ?? []).Select(one => Anchor(one, c.FileName))).DistinctBy(c => c.Name)],
        };
    }

    private static k8s.KubeConfigModels.Cluster Anchor(k8s.KubeConfigModels.Cluster cluster, string file)
    {
        if (cluster.ClusterEndpoint is { } endpoint) endpoint.CertificateAuthority = Anchor(endpoint.CertificateAuthority, file);
        return cluster;
    }

    private static User Anchor(User user, string file)
    {
        if (user.UserCredentials is { } credentials)
            (credentials.ClientCertificate, credentials.ClientKey) = (Anchor(credentials.ClientCertificate, file),
                Anchor(credentials.ClientKey, file));
        return user;
    }

    /// <summary>Relative paths are relative to the file that they are in.</summary>
    private static string? Anchor(string? path, string file) => string.IsNullOrEmpty(path) ? path
        : Path.GetFullPath(path, Path.GetDirectoryName(file)!);

    private IEnumerable<string> Files(ClusterChoice choice)
    {
        if (choice.Kubeconfig is { } named) return [named];
        return environment("KUBECONFIG") is { Length: > 0 } listed
            ? listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            : [KubernetesClientConfiguration.KubeConfigDefaultLocation];
    }
}
