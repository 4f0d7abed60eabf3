using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.CommandLine;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Cli.Tests.Cluster;

/// <summary>The cluster is found as kubectl finds it.</summary>
public sealed class ClusterConnectorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("failover-cli-").FullName;

    [Fact]
    public void The_context_says_which_namespace_is_meant()
    {
        var file = Write("config", "shop");
        Assert.Equal("shop", Connect(new ClusterChoice(file), null).Namespace);
        Assert.Equal("web", Connect(new ClusterChoice(file, Namespace: "web"), null).Namespace);
        Assert.Equal("default", Connect(new ClusterChoice(file, Context: "bare"), null).Namespace);
    }

    [Fact]
    public void KUBECONFIG_may_name_several_files_of_which_some_are_not_there()
    {
        var list = string.Join(Path.PathSeparator, Path.Combine(_folder, "missing"), Write("config", "shop"));
        Assert.Equal("shop", Connect(new ClusterChoice(), list).Namespace);
    }

    [Theory]
    [InlineData("no-such-context", "no-such-context")]
    public void A_context_that_does_not_exist_is_named(string context, string expected)
    {
        var refusal = Assert.Throws<CliException>(() => Connect(new ClusterChoice(Write("config", "shop"), context), null));
        Assert.Equal(ExitCodes.NoCluster, refusal.ExitCode);
        Assert.Contains(expected, refusal.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_no_kubeconfig_is_exit_code_3()
    {
        Assert.Contains("missing", Assert.Throws<CliException>(() => Connect(new ClusterChoice(Path.Combine(_folder, "missing")), null)).Message);
        File.WriteAllText(Path.Combine(_folder, "broken"), "clusters: [");
        Assert.Equal(ExitCodes.NoCluster, Assert.Throws<CliException>(() =>
            Connect(new ClusterChoice(Path.Combine(_folder, "broken")), null)).ExitCode);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ClusterConnection Connect(ClusterChoice choice, string? kubeconfig) =>
        new ClusterConnector(new FakeTimeProvider(), new Random(1), name => name == "KUBECONFIG" ? kubeconfig : null).Connect(choice, _ => { });

    private string Write(string name, string namespaceName)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts:
              - { name: test, context: { cluster: test, user: test, namespace: {{namespaceName}} } }
              - { name: bare, context: { cluster: test, user: test } }
            clusters: [{ name: test, cluster: { server: "https://127.0.0.1:1" } }]
            users: [{ name: test, user: { token: open-sesame } }]
            """);
        return path;
    }
}
