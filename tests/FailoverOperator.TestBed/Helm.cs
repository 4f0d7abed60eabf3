namespace FailoverOperator.TestBed;

/// <summary>The helm program: <c>FAILOVER_HELM</c> if set, else what <c>tests/tools/need-helm</c> provides.</summary>
public sealed class Helm
{
    private readonly CommandLine commandLine;

    private Helm(string program, string kubeconfig) =>
        commandLine = new CommandLine(program, new Dictionary<string, string> { ["KUBECONFIG"] = kubeconfig });

    public static async Task<Helm> FindAsync(string kubeconfig)
    {
        var program = Environment.GetEnvironmentVariable("FAILOVER_HELM")
            ?? (await new CommandLine(Repository.PathOf("tests/tools/need-helm")).RunAsync([])).Trim();
        return new Helm(program, kubeconfig);
    }

    public Task<string> RunAsync(params string[] arguments) => commandLine.RunAsync(arguments, deadline: TimeSpan.FromMinutes(5));

    public Task<CommandResult> TryAsync(params string[] arguments) => commandLine.TryAsync(arguments, deadline: TimeSpan.FromMinutes(5));
}
