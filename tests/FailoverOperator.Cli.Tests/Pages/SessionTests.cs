using System.Text;
using FailoverOperator.Cli.Tests.Support;

namespace FailoverOperator.Cli.Tests.Pages;

/// <summary>
/// Each folder beside this file is a case: what the cluster has (cluster.yaml), and what people see who type commands (session.txt).
/// UPDATE_PAGES=1 writes the sessions anew; look at the difference before you commit it.
/// </summary>
public sealed class SessionTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests/FailoverOperator.Cli.Tests/Pages");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Folder).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Session(string name)
    {
        var (folder, file) = (Path.Combine(Folder, name), Path.Combine(Folder, name, "session.txt"));
        var expected = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        var actual = await PlayAsync(await File.ReadAllTextAsync(Path.Combine(folder, "cluster.yaml"), TestContext.Current.CancellationToken),
            Commands(expected));
        if (Environment.GetEnvironmentVariable("UPDATE_PAGES") == "1") await File.WriteAllTextAsync(file, actual,
            TestContext.Current.CancellationToken);
        else Assert.Equal(expected, actual);
    }

    internal static IEnumerable<string> Commands(string session) =>
        session.Split('\n').Where(line => line.StartsWith(Terminal.Prompt, StringComparison.Ordinal)).Select(line => line[Terminal.Prompt.Length..]);

    private static async Task<string> PlayAsync(string cluster, IEnumerable<string> commands)
    {
        var terminal = new Terminal();
        terminal.Cluster.SeedYaml(cluster);
        var session = new StringBuilder();
        foreach (var command in commands) session.Append(await terminal.ShowAsync(command)).Append('\n');
        return session.ToString().TrimEnd() + "\n";
    }
}
