using FailoverOperator.Benchmarks;

// Pods need addresses of their own: `make bench-scale` gives them 10.77.0.0/16 in a network namespace that ends with this process.
var counts = args.Length > 0 ? args.Select(int.Parse).ToList() : [10, 100, 1000];
Console.WriteLine("| groups | members | CPU at rest (cores) | memory (MiB) | API calls per group and minute | lost at once | expiry to repointed p50 (ms) | p99 (ms) | max (ms) | not repointed |");
Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
foreach (var groups in counts)
{
    var figures = await ScaleBench.RunAsync(groups);
    Console.WriteLine(figures.Row);
}
