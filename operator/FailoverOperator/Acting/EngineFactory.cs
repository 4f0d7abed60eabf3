using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Engines;
using FailoverOperator.Engines.Redis;

namespace FailoverOperator.Acting;

/// <summary>Makes the engine that a group's spec asks for.</summary>
public sealed class EngineFactory(TimeProvider time)
{
    public IEngine Make(RedundancyGroup group, string? password, Action<string> onDisturbed) => group.Spec.Engine.Type switch
    {
        EngineType.Redis => Redis(group.Spec, password, onDisturbed),
        EngineType.Hooks => throw new NotSupportedException("hooks"),
        _ => throw new ArgumentOutOfRangeException(nameof(group), group.Spec.Engine.Type, "unknown engine"),
    };

    private RedisEngine Redis(RedundancyGroupSpec spec, string? password, Action<string> onDisturbed)
    {
        var redis = spec.Engine.Redis ?? new RedisEngineSpec();
        var credentials = new RedisCredentials(redis.Username, password);
        var settings = new RedisSettings { Port = redis.Port, ProbeTimeout = TimeSpan.FromMilliseconds(spec.Detection.ProbeTimeoutMilliseconds) };
        return new RedisEngine(settings, () => credentials, time, onDisturbed);
    }
}
