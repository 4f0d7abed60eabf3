using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Cli.Simulating;
using FailoverOperator.Cli.Tests.Support;

namespace FailoverOperator.Cli.Tests.Docs;

/// <summary>Every command that the documentation shows is one, and every command is shown.</summary>
public sealed partial class CommandTests
{
    private static readonly string[] Pages = ["README.md", "docs/cli.md"];

    public static TheoryData<string> Shown =>
        [.. Pages.SelectMany(page => Command().Matches(Read(page)).Select(m => m.Groups[1].Value.Trim())).Distinct()];

    [Theory]
    [MemberData(nameof(Shown))]
    public void A_command_that_is_shown_is_understood(string command)
    {
        var parsed = FailoverCli.Build(Terminal.NoHost).Parse([.. CommandLineParser.SplitCommandLine(command)]);
        Assert.Empty(parsed.Errors.Select(e => e.Message));
    }

    [Fact]
    public void Every_command_and_option_is_shown()
    {
        var page = Read("docs/cli.md");
        var root = FailoverCli.Build(Terminal.NoHost);
        Assert.All(root.Subcommands, command => Assert.Contains($"kubectl failover {command.Name}", page));
        var options = root.Options.Concat(root.Subcommands.SelectMany(c => c.Options)).Where(o => o.Name is not ("--help" or "--version"));
        Assert.All(options, option => Assert.Contains(option.Aliases.Append(option.Name), name => Regex.IsMatch(page, $@"{Regex.Escape(name)}\b")));
    }

    [Fact]
    public void Every_fault_and_exit_code_is_explained()
    {
        var page = Read("docs/cli.md");
        Assert.All(SimulationPlanner.Faults.Keys, fault => Assert.Contains($"| `{fault}` |", page));
        foreach (var code in new[] { ExitCodes.Fine, ExitCodes.NotAsWished, ExitCodes.WrongUse, ExitCodes.NoCluster, ExitCodes.Interrupted })
            Assert.Contains(FormattableString.Invariant($"\n| {code} | "), page);
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));

    [GeneratedRegex(@"^    kubectl failover ([^#\n]*)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
