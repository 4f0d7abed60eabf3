using System.Text.RegularExpressions;

namespace FailoverOperator.TestBed;

/// <summary>Finds files of the checkout that the tests run from.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Where the cluster scripts keep Kubernetes, images and tools.</summary>
    public static string Cache { get; } =
        Environment.GetEnvironmentVariable("FAILOVER_K8S_CACHE")
        ?? Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
            "failover-k8s");

    /// <summary>Folder of the Kubernetes binaries of the local cluster.</summary>
    public static string KubernetesBinaries { get; } = Path.Combine(Cache, BinariesName());

    /// <summary>As the scripts say: <c>BIN=$CACHE/$KUBE_VERSION-2</c>.</summary>
    private static string BinariesName()
    {
        var script = File.ReadAllText(PathOf("tests/cluster/lib.sh"));
        var version = Regex.Match(script, @"^KUBE_VERSION=(\S+)", RegexOptions.Multiline).Groups[1].Value;
        return Regex.Match(script, @"^BIN=\$CACHE/(\S+)", RegexOptions.Multiline).Groups[1].Value.Replace("$KUBE_VERSION", version, StringComparison.Ordinal);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FailoverOperator.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException($"no FailoverOperator.sln above {AppContext.BaseDirectory}");
    }
}
