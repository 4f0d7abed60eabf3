using System.Globalization;
using FailoverOperator.Simulation;

// seed N [KIND]                         one seed, with its timeline; KIND: endless, planned, nplusm, quorum, activeactive
// trace N KIND                          the same as it was, not made smaller
// seeds N FROM [KIND] [SECONDS]         N seeds from FROM on, on all processors, begun within so many seconds; what was found, and what was reached
// quiet N                               N hours in which nothing happens: what the simulator itself costs
// mutants N [NAME]                      for each deliberate mistake, which of N seeds is the first to find it
// anything else                         the tests, for the test runner

return args switch
{
    ["seed", var seed] => SeedConsole.Replay(Number(seed), Kind.Usual),
    ["seed", var seed, var kind] => SeedConsole.Replay(Number(seed), Kind.Named(kind)),
    ["trace", var seed, var kind] => SeedConsole.Replay(Number(seed), Kind.Named(kind), isWhole: true),
    ["seeds", var count, var from] => SeedConsole.Search(Number(count), Number(from), Kind.Usual, null),
    ["seeds", var count, var from, var within] when within.All(char.IsAsciiDigit) => SeedConsole.Search(Number(count), Number(from), Kind.Usual, Seconds(within)),
    ["seeds", var count, var from, var kind] => SeedConsole.Search(Number(count), Number(from), Kind.Named(kind), null),
    ["seeds", var count, var from, var kind, var within] => SeedConsole.Search(Number(count), Number(from), Kind.Named(kind), Seconds(within)),
    ["quiet", var hours] => SeedConsole.Quiet(Number(hours)),
    ["mutants", var count] => SeedConsole.Mutants(Number(count), ""),
    ["mutants", var count, var name] => SeedConsole.Mutants(Number(count), name),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
        await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};

static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(Number(text));

static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
