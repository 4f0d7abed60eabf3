using System.Globalization;
using FailoverOperator.EndToEnd.Scenarios;

namespace FailoverOperator.EndToEnd;

/// <summary>Runs scenarios by name, for people.</summary>
public static class ScenarioConsole
{
    public static int List()
    {
        foreach (var scenario in Scenario.All) Console.WriteLine(scenario.Name);
        return 0;
    }

    public static int Runs(int ifAbsent) => Environment.GetEnvironmentVariable("RUNS") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : ifAbsent;

    public static async Task<int> RunAsync(string name)
    {
        if (Scenario.All.FirstOrDefault(s => s.Name == name) is not { } scenario)
        {
            await Console.Error.WriteLineAsync($"there is no scenario {name}; there are: {string.Join(", ", Scenario.All.Select(s => s.Name))}");
            return 2;
        }
        var runs = Runs(ifAbsent: 1);
        try
        {
            await using var bed = await Bed.CreateAsync();
            if (scenario.NeedsNodePower && bed.Cluster.Nodes is null)
            {
                await Console.Error.WriteLineAsync($"{name} switches nodes off, which it cannot in this cluster ({bed.Cluster.Description}); run it in the local one");
                return 2;
            }
            await scenario.RunAsync(bed, runs, Console.WriteLine, Turn.Now());
            return 0;
        }
        catch (Exception failure)
        {
            await Console.Error.WriteLineAsync($"{name} failed: {failure}");
            return 1;
        }
    }
}
