using System.Diagnostics;

namespace FailoverOperator.TestBed;

/// <summary>kubectl, as a user runs it, against one cluster and, if named, in one namespace.</summary>
public sealed class Kubectl(string kubeconfig, string? namespaceName = null)
{
    private readonly CommandLine commandLine = new(Find(), new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig });

    public string? Namespace => namespaceName;

    public Kubectl In(string other) => new(kubeconfig, other);

    public Task<string> RunAsync(params string[] arguments) => commandLine.RunAsync(WithNamespace(arguments));

    public Task<CommandResult> TryAsync(params string[] arguments) => commandLine.TryAsync(WithNamespace(arguments));

    public Process Start(params string[] arguments) => commandLine.Start(WithNamespace(arguments));

    public Task ApplyAsync(string yaml) => commandLine.RunAsync(WithNamespace(["apply", "-f", "-"]), yaml);

    public Task<CommandResult> TryApplyAsync(string yaml, params string[] options) => commandLine.TryAsync(WithNamespace(["apply", .. options, "-f", "-"]), yaml);

    public Task<string> ExecAsync(string pod, params string[] command) => RunAsync(["exec", pod, "--", .. command]);

    /// <summary>Installs the CRDs of this checkout. Without validation, as kubectl knows no CEL rules where the server knows none.</summary>
    public async Task ApplyCrdsAsync()
    {
        var folder = Repository.PathOf("crds");
        await RunAsync("apply", "--validate=false", "-f", folder);
        await RunAsync("wait", "--for=condition=Established", "-f", folder, "--timeout=30s");
    }

    private IEnumerable<string> WithNamespace(string[] arguments) => namespaceName is null ? arguments : ["--namespace", namespaceName, .. arguments];

    private static string Find()
    {
        var cached = Path.Combine(Repository.KubernetesBinaries, "kubectl");
        return File.Exists(cached) ? cached : "kubectl";
    }
}
