using FailoverOperator.Agent;

return args switch
{
    ["install", var folder] => Installation.Install(folder),
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
