using Testcontainers.K3s;

namespace FailoverOperator.TestBed;

/// <summary>K3s in one container, where there is a Docker engine. One node, which cannot be switched off.</summary>
public static class K3sCluster
{
    private const string Image = "rancher/k3s:v1.31.4-k3s1";

    internal static async Task<TestCluster> StartAsync()
    {
        var container = new K3sBuilder(Image).Build();
        await container.StartAsync();
        foreach (var archive in ImageArchives())
        {
            var target = "/tmp/" + Path.GetFileName(archive);
            await container.CopyAsync(new FileInfo(archive), "/tmp/");
            var import = await container.ExecAsync(["ctr", "-n", "k8s.io", "images", "import", target]);
            if (import.ExitCode != 0) throw new CommandFailedException($"cannot load {archive}: {import.Stderr}");
        }
        var kubeconfig = Path.Combine(Directory.CreateTempSubdirectory("failover-k3s-").FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, await container.GetKubeconfigAsync());
        return new TestCluster("K3s in Docker", kubeconfig, null, async () =>
        {
            await container.DisposeAsync();
            Directory.Delete(Path.GetDirectoryName(kubeconfig)!, recursive: true);
        });
    }

    /// <summary>What `make images` built.</summary>
    private static string[] ImageArchives()
    {
        var folder = Path.Combine(Repository.Cache, "images");
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "*.tar") : [];
    }
}
