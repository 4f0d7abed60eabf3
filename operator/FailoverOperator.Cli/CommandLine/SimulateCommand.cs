using System.CommandLine;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.Manifests;
using FailoverOperator.Cli.Printing;
using FailoverOperator.Cli.Simulating;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>What faults would cost, by the operator's and the agents' own code in virtual time.</summary>
internal static class SimulateCommand
{
    private const int DefaultSeeds = 50;
    private const int MostSeeds = 100_000;

    public static Command Build(CliHost host, CommonOptions options)
    {
        var name = new Argument<string?>("GROUP")
        {
            Description = "Name of a RedundancyGroup in the cluster, as it is now",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var file = new Option<string?>("--filename", "-f")
        {
            Description = "Manifest with a RedundancyGroup; no cluster is needed",
            HelpName = "FILE",
        };
        var seeds = SeedsOption();
        var faults = new Option<string[]>("--faults")
        {
            Description = $"Which faults, separated by commas: {string.Join(", ", SimulationPlanner.Faults.Keys)}; by default all",
            HelpName = "FAULT,…",
            CustomParser = result => [.. result.Tokens.SelectMany(t =>
                t.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct()],
            DefaultValueFactory = _ => [.. SimulationPlanner.Faults.Keys],
        };
        faults.CompletionSources.Add([.. SimulationPlanner.Faults.Keys]);
        var command = new Command("simulate", "Try faults on a group in virtual time, and hold what they cost against its targets")
            { name, file, faults, seeds };
        command.Validators.Add(result =>
        {
            if (result.GetValue(name) is null == result.GetValue(file) is null)
                result.AddError("name a GROUP of the cluster, or a manifest with -f, one of them");
            foreach (var fault in result.GetValue(faults)!.Where(f => !SimulationPlanner.Faults.ContainsKey(f)))
                result.AddError($"there is no fault {fault}; there are: {string.Join(", ", SimulationPlanner.Faults.Keys)}");
        });
        command.Do(host, async (parsed, token) =>
        {
            var group = parsed.GetValue(file) is { } path ? ManifestReader.Read(Read(host, path), path)
                : await LiveAsync(parsed.GetValue(name)!, parsed, token);
            return Run(host, options, parsed, SimulationPlanner.OfFaults(group, parsed.GetValue(faults)!), parsed.GetValue(seeds), token);
        });
        return command;

        async Task<RedundancyGroup> LiveAsync(string group, ParseResult parsed, CancellationToken token)
        {
            var (api, namespaceName) = options.Connect(host, parsed);
            return await new GroupReader(api).GroupAsync(namespaceName, group, token);
        }
    }

    public static Option<int> SeedsOption()
    {
        var seeds = new Option<int>("--seeds")
        {
            Description = "How often each fault is simulated, each time with other delays, clocks and moments",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultSeeds,
        };
        seeds.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var number) && number is < 1 or > MostSeeds)
                result.AddError($"--seeds takes a number from 1 to {MostSeeds}");
        });
        return seeds;
    }

    public static int Run(CliHost host, CommonOptions options, ParseResult parsed, SimulationPlan plan, int seeds, CancellationToken token)
    {
        var total = plan.Scenarios.Count * seeds;
        var report = SimulationRunner.Run(plan, seeds, host.ShowsProgress ? done => Progress(host, done, total) : null, token);
        options.Write(host, parsed, report, page => SimulationPage.Write(page, report));
        return report.TargetsMet ? ExitCodes.Fine : ExitCodes.NotAsWished;
    }

    private static void Progress(CliHost host, int done, int total)
    {
        lock (host.Error)
        {
            host.Error.Write(done < total ? $"\rsimulated {done} of {total}" : "\r\e[K");
            host.Error.Flush();
        }
    }

    private static string Read(CliHost host, string path)
    {
        try
        {
            return host.ReadFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCodes.WrongUse, $"{path} cannot be read: {e.Message}", e);
        }
    }
}
