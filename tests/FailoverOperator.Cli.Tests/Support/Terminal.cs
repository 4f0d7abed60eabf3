using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Testing;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace FailoverOperator.Cli.Tests.Support;

/// <summary>What one command answered.</summary>
internal sealed record Answer(int ExitCode, string Output, string Error);

/// <summary>Somebody who types commands, at noon, into a terminal that is wide enough.</summary>
internal sealed class Terminal
{
    public const string Prompt = "$ kubectl failover ";
    private const int Width = 300;

    public Terminal() => Cluster = new FakeKubernetesApi(Time);

    /// <summary>For commands that are only read, not run.</summary>
    public static CliHost NoHost { get; } = new()
    {
        Connect = (_, _) => throw new InvalidOperationException("there is no cluster"),
        Time = new FakeTimeProvider(),
        Output = TextWriter.Null,
        Error = TextWriter.Null,
        Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }),
        ReadFile = _ => "",
    };

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    public FakeKubernetesApi Cluster { get; }

    /// <summary>What is typed when a line is asked for. Null: nobody is there.</summary>
    public Func<string?>? Types { get; set; }

    public async Task<Answer> RunAsync(string command, CancellationToken cancellationToken = default)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = Width;
        var exitCode = await FailoverCli.RunAsync(System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(command).ToList(), new CliHost
        {
            Connect = (choice, _) => new ClusterConnection(Cluster, choice.Namespace ?? "shop"),
            Time = Time,
            Output = output,
            Error = error,
            Console = console,
            ReadLine = Types,
            ReadFile = path => File.ReadAllText(Path.Combine(Repository.Root, path)),
        }, cancellationToken);
        return new(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>The command and what is seen then, as in a transcript. Lines end where their text does.</summary>
    public async Task<string> ShowAsync(string command)
    {
        var (exitCode, output, error) = await RunAsync(command);
        var lines = (output + error).Replace(Repository.Root + "/", "", StringComparison.Ordinal).TrimEnd('\n').Split('\n').Select(line =>
            line.TrimEnd());
        return $"{Prompt}{command}\n{string.Join('\n', lines)}\n{(exitCode == 0 ? "" : FormattableString.Invariant($"[exit code {exitCode}]\n"))}";
    }
}
