using FailoverOperator.Agent;
using FailoverOperator.Agent.Watchdogs;

#pragma warning disable RS0030
var time = TimeProvider.System;
#pragma warning restore RS0030

return args switch
{
    ["install", var folder] => Installation.Install(folder),
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
