using FailoverOperator.Agent.Servers;
using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Agent.Servers.Redis;
using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Hosting;

/// <summary>Makes the server of an engine from the command line and the environment.</summary>
internal static class MemberServers
{
    /// <returns>The server, or a sentence that says what is wrong.</returns>
    public static (IMemberServer? Server, string? Problem) Make(
        string engine, IReadOnlyList<string> command, AgentSettings agent, Func<string, string?> variable, ISupervisor supervisor, TimeProvider time)
    {
        switch (engine)
        {
            case "PostgreSQL":
                if (command.Count > 0) return (null, "PostgreSQL's command line is the agent's; settings go into the file that FAILOVER_PG_CONFIG names");
                var (postgreSql, wrong) = PostgreSqlSettings.Read(variable, agent.PodName, Environment.IsPrivilegedProcess);
                return postgreSql is null ? (null, wrong) : (new PostgreSqlServer(postgreSql, supervisor, time), null);
            case "Redis":
                var (redis, problem) = RedisSettings.Read(command, variable);
                return redis is null ? (null, problem) : (new RedisServer(redis, supervisor, time), null);
            default:
                return (null, $"there is no engine {engine}; there are PostgreSQL and Redis");
        }
    }
}
