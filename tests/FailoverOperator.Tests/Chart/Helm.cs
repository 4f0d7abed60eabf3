using System.Collections.Concurrent;
using System.Diagnostics;

namespace FailoverOperator.Tests.Chart;

/// <summary>How a run of helm ended. <paramref name="Output"/> is what it printed to both streams when it failed.</summary>
public sealed record HelmResult(int ExitCode, string Output);

/// <summary>The helm program on the chart of this checkout.</summary>
public static class Helm
{
    public const string Release = "release";
    public const string Namespace = "operators";

    private static readonly ConcurrentDictionary<string, Lazy<HelmResult>> Rendered = new();
    private static readonly string Root = FindRoot();
    private static readonly Lazy<string> Program = new(() => Run(Path.Combine(Root, "tests/tools/need-helm"), []).Output.Trim());

    public static string Chart { get; } = Path.Combine(Root, "charts/failover-operator");

    public static HelmResult Lint(params string[] arguments) => Run(Program.Value, ["lint", "--strict", Chart, .. arguments]);

    /// <summary>Many tests look at the same few renderings, and each takes a process.</summary>
    public static HelmResult TryTemplate(string values, params string[] arguments) => Rendered.GetOrAdd(string.Join('\n', [values, .. arguments]),
        _ => new(() => Run(Program.Value, ["template", Release, Chart, "--namespace", Namespace, "--values", "-", .. arguments], values))).Value;

    /// <summary>Renders the chart with these values (YAML).</summary>
    public static Manifests Template(string values, params string[] arguments)
    {
        var result = TryTemplate(values, arguments);
        Assert.True(result.ExitCode == 0, result.Output);
        return Manifests.Parse(result.Output);
    }

    private static HelmResult Run(string program, IEnumerable<string> arguments, string input = "")
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new HelmResult(process.ExitCode, process.ExitCode == 0 ? output : output + error.Result);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FailoverOperator.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"no FailoverOperator.sln above {AppContext.BaseDirectory}");
    }
}
