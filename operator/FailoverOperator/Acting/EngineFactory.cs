using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Hooks;
using FailoverOperator.Engines.Redis;
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

    public IEngine Make(RedundancyGroup group, string? password, Action<string> onDisturbed) => group.Spec.Engine.Type switch
    {
        EngineType.Redis => Redis(group.Spec, password, onDisturbed),
        EngineType.Hooks => new HooksEngine(group.Spec.Engine.Hooks ?? new HooksEngineSpec(), group.Name(), commands, () => _http, time),
        _ => throw new ArgumentOutOfRangeException(nameof(group), group.Spec.Engine.Type, "unknown engine"),
    };

    public void Dispose() => _http.Dispose();

    private RedisEngine Redis(RedundancyGroupSpec spec, string? password, Action<string> onDisturbed)
    {
        var redis = spec.Engine.Redis ?? new RedisEngineSpec();
        var credentials = new RedisCredentials(redis.Username, password);
        var settings = new RedisSettings { Port = redis.Port, ProbeTimeout = TimeSpan.FromMilliseconds(spec.Detection.ProbeTimeoutMilliseconds) };
        return new RedisEngine(settings, () => credentials, time, onDisturbed);
    }
}
