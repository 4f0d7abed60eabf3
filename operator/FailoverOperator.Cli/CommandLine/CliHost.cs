using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Printing;
using Spectre.Console;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>What the commands reach the world through.</summary>
public sealed record CliHost
{
    public required Func<ClusterChoice, Action<string>, ClusterConnection> Connect { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Documents for machines go here as they are.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Pages for people go here.</summary>
    public required IAnsiConsole Console { get; init; }

    public required TextWriter Error { get; init; }

    public required Func<string, string> ReadFile { get; init; }

    /// <summary>Reads a line from whoever types. Null: nobody does.</summary>
    public Func<string?>? ReadLine { get; init; }

    /// <summary>Whether somebody watches, who wants to see that it goes on.</summary>
    public bool ShowsProgress { get; init; }

    internal Page NewPage() => new(Console);

    internal void Warn(string message) => Error.WriteLine($"warning: {Words.Printable(message)}");
}
