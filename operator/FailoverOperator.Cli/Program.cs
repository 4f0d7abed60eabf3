using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.CommandLine;
using Spectre.Console;

// The one place that chooses the clock, the seed of chance and the terminal.
#pragma warning disable RS0030
var (time, random) = (TimeProvider.System, Random.Shared);
#pragma warning restore RS0030

var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
// Into a pipe nothing is broken into several lines.
if (Console.IsOutputRedirected) console.Profile.Width = 10_000;

return await FailoverCli.RunAsync(args, new CliHost
{
    Connect = new ClusterConnector(time, random, Environment.GetEnvironmentVariable).Connect,
    Time = time,
    Output = Console.Out,
    Error = Console.Error,
    Console = console,
    ReadFile = path => path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path),
    ReadLine = Console.IsInputRedirected ? null : Console.In.ReadLine,
    ShowsProgress = !Console.IsErrorRedirected,
});
