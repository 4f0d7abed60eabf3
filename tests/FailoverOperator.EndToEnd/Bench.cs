using System.Text.Json;
using FailoverOperator.EndToEnd.Scenarios;
using FailoverOperator.TestBed;

namespace FailoverOperator.EndToEnd;

/// <summary>Measures failovers: many of each kind, in one group that lives through all of them.</summary>
public static class Bench
{
    private static readonly string[] Faults = ["switchover", "process-crash", "node-power-cut", "node-partition"];
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Tables on standard output, progress on standard error, all values in a file.</summary>
    public static async Task<int> RunAsync(string engineName, int runs, string file)
    {
        var engine = Engine.Named(engineName);
        await using var bed = await Bed.CreateAsync();
        await using var scope = await TestNamespace.CreateAsync(bed.Cluster, $"bench-{engine.Name}");
        var all = new List<Measures>();
        await Scenario.DescribeFailureAsync(bed, scope, Console.Error.WriteLine, async () =>
        {
            var stage = await FaultStage.SetAsync(bed, scope, engine);
            foreach (var fault in Faults)
            {
                var accounts = new List<FailoverAccount>();
                for (var run = 0; run < runs; run++) accounts.Add(await stage.RunAsync(Fault.Named(fault), Console.Error.WriteLine));
                all.Add(Measures.Of($"{engine.Name}-{fault}", accounts));
                Console.WriteLine(all[^1].ToMarkdown());
            }
        });
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new { engine = engine.Name, runs, cluster = bed.Cluster.Description, faults = all }, Json));
        await Console.Error.WriteLineAsync($"written: {file}");
        return 0;
    }
}
