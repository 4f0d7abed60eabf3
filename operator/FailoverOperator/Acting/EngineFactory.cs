using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Agents;
using FailoverOperator.Engines.Hooks;
using FailoverOperator.Engines.PostgreSql;
using FailoverOperator.Engines.Redis;
using FailoverOperator.Observing;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>Makes the engine that a group's spec asks for.</summary>
public sealed class EngineFactory(IPodCommandRunner commands, TimeProvider time) : IDisposable
{
    /// <summary>Straight to the pod that was meant: no redirects, proxies or cookies. Each hook has a deadline of its own.</summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public IEngine Make(RedundancyGroup group, string slot, GroupCredentials credentials, Action<string> onDisturbed) =>
        (group.Spec.Agent, group.Spec.Engine.Type) switch
        {
            ({ } agent, EngineType.Redis) => Agents(group.Spec, agent, credentials, Redis(group.Spec, credentials, null), onDisturbed),
            ({ } agent, EngineType.PostgreSQL) => Agents(group.Spec, agent, credentials, PostgreSql(group.Spec, credentials), onDisturbed),
            (null, EngineType.Redis) => Redis(group.Spec, credentials, onDisturbed),
            (null, EngineType.Hooks) => new HooksEngine(group.Spec.Engine.Hooks ?? new HooksEngineSpec(), group.Name(), slot, commands, () => _http, time),
            (null, EngineType.None) => new NoEngine(),
            var (_, type) => throw new ArgumentOutOfRangeException(nameof(group), type, "unknown engine, or one that cannot be managed this way"),
        };

    public void Dispose() => _http.Dispose();

    private AgentEngine Agents(
        RedundancyGroupSpec spec, AgentSpec agent, GroupCredentials credentials, IWriteVerifier? verifier, Action<string> onDisturbed) => new(
            new AgentSettings { Port = agent.Port, ProbeTimeout = ProbeTimeout(spec) }, credentials.AgentToken ?? "", verifier, _http, time, onDisturbed);

    private RedisEngine Redis(RedundancyGroupSpec spec, GroupCredentials credentials, Action<string>? onDisturbed)
    {
        var redis = spec.Engine.Redis ?? new RedisEngineSpec();
        var login = new RedisCredentials(redis.Username, credentials.Password);
        return new RedisEngine(new RedisSettings { Port = redis.Port, ProbeTimeout = ProbeTimeout(spec) }, () => login, time, onDisturbed);
    }

    /// <summary>Null: without a password the word of the agent must do.</summary>
    private PostgreSqlVerifier? PostgreSql(RedundancyGroupSpec spec, GroupCredentials credentials)
    {
        if (credentials.Password is not { } password) return null;
        var engine = spec.Engine.PostgreSql ?? new PostgreSqlEngineSpec();
        return new PostgreSqlVerifier(
            new PostgreSqlSettings
            {
                Port = engine.Port,
                Username = engine.Username,
                Database = engine.Database,
                Password = password,
                Timeout = ProbeTimeout(spec),
            }, time);
    }

    private static TimeSpan ProbeTimeout(RedundancyGroupSpec spec) => TimeSpan.FromMilliseconds(spec.Detection.ProbeTimeoutMilliseconds);
}
