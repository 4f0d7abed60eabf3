using FailoverOperator.EndToEnd;

// scenario NAME    one scenario, RUNS times (environment), with the figures of each failover
// scenarios        their names
// demo             a failover, shown
// anything else    the tests, for the test runner

return args switch
{
    ["demo"] => await Demo.RunAsync(),
    ["scenario", var name] => await ScenarioConsole.RunAsync(name),
    ["scenarios"] => ScenarioConsole.List(),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
        await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
