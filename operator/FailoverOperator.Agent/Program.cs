using FailoverOperator.Agent;
using FailoverOperator.Agent.Hosting;
using FailoverOperator.Agent.Watchdogs;

// The one place that chooses the clock and the seed of chance.
#pragma warning disable RS0030
var (time, random) = (TimeProvider.System, Random.Shared);
#pragma warning restore RS0030

return args switch
{
    ["install", var folder] => Installation.Install(folder),
    ["run", "--engine", var engine] => await AgentProcess.RunAsync(engine, [], Environment.GetEnvironmentVariable, time, random),
    ["run", "--engine", var engine, "--", .. var command] => await AgentProcess.RunAsync(engine, command, Environment.GetEnvironmentVariable, time, random),
    [WatchdogProcess.Verb, var mark] => WatchdogProcess.Run(mark, time),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: failover-agent install DIR
               failover-agent run --engine PostgreSQL
               failover-agent run --engine Redis -- redis-server ARGUMENT...
        """);
    return 2;
}
