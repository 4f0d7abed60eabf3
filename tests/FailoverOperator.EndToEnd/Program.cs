using FailoverOperator.EndToEnd;

// scenario NAME    one scenario, RUNS times (environment), with the figures of each failover
// scenarios        their names
// bench ENGINE FILE  failovers measured, RUNS of each kind; all values in FILE
// demo             a failover, shown
// anything else    the tests, for the test runner

return args switch
{
    ["demo"] => await Demo.RunAsync(),
    ["scenario", var name] => await ScenarioConsole.RunAsync(name),
    ["bench", var engine, var file] => await Bench.RunAsync(engine, ScenarioConsole.Runs(ifAbsent: 20), file),
    ["scenarios"] => ScenarioConsole.List(),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
        await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
