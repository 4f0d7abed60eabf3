using System.CommandLine;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>How the answer is written.</summary>
internal enum OutputFormat
{
    Table,
    Json,
    Yaml,
}

/// <summary>The options that every command has.</summary>
internal sealed class CommonOptions
{
    private readonly Option<string?> _namespace = new("--namespace", "-n")
    {
        Description = "Namespace; by default that of the context",
        HelpName = "NS",
        Recursive = true,
    };
    private readonly Option<string?> _kubeconfig = new("--kubeconfig")
    {
        Description = "File that says where the cluster is; by default KUBECONFIG, or ~/.kube/config",
        HelpName = "FILE",
        Recursive = true,
    };
    private readonly Option<string?> _context = new("--context")
    {
        Description = "Context of the kubeconfig; by default the current one",
        HelpName = "NAME",
        Recursive = true,
    };
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "How the answer is written",
        HelpName = "table|json|yaml",
        DefaultValueFactory = _ => "table",
        Recursive = true,
    };

    public CommonOptions() => _output.AcceptOnlyFromAmong("table", "json", "yaml");

    public IEnumerable<Option> All => [_namespace, _kubeconfig, _context, _output];

    public ClusterConnection Connect(CliHost host, ParseResult parsed) => host.Connect(
        new ClusterChoice(parsed.GetValue(_kubeconfig), parsed.GetValue(_context), parsed.GetValue(_namespace)), host.Warn);

    public OutputFormat Format(ParseResult parsed) => Enum.Parse<OutputFormat>(parsed.GetValue(_output)!, ignoreCase: true);

    /// <summary>Writes the same answer for people or for machines.</summary>
    public void Write(CliHost host, ParseResult parsed, object view, Action<Page> page)
    {
        switch (Format(parsed))
        {
            case OutputFormat.Json:
                host.Output.WriteLine(Documents.Json(view));
                break;
            case OutputFormat.Yaml:
                host.Output.WriteLine(Documents.Yaml(view));
                break;
            default:
                page(host.NewPage());
                break;
        }
    }
}
