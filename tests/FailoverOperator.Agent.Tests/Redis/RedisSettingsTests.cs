using FailoverOperator.Agent.Servers.Redis;

namespace FailoverOperator.Agent.Tests.Redis;

public sealed class RedisSettingsTests
{
    [Theory]
    [InlineData("redis-server", null, 6379)]
    [InlineData("redis-server --port 7000", null, 7000)]
    [InlineData("redis-server --port 7000 --dir /data --port 7001", null, 7001)]
    [InlineData("redis-server /etc/redis.conf", "7002", 7002)]
    public void The_port_is_the_one_that_the_server_will_listen_on(string command, string? variable, int port) =>
        Assert.Equal(port, Read(command, variable).Settings?.Port);

    [Theory]
    [InlineData("", null, "no command is given")]
    [InlineData("redis-server --port 0", null, "--port must be a port number")]
    [InlineData("redis-server", "x", "FAILOVER_REDIS_PORT must be a port number")]
    public void What_is_wrong_is_told_by_its_name(string command, string? variable, string problem) =>
        Assert.Contains(problem, Read(command, variable).Problem);

    private static (RedisSettings? Settings, string? Problem) Read(string command, string? port) =>
        RedisSettings.Read(command.Split(' ', StringSplitOptions.RemoveEmptyEntries), name => name == "FAILOVER_REDIS_PORT" ? port : null);
}
