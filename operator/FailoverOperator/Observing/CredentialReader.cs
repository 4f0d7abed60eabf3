using System.Collections.Concurrent;
using System.Text;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>What a group's Secrets hold.</summary>
/// <param name="Password">The engine's. Null: none is asked for.</param>
/// <param name="AgentToken">Null: there are no agents.</param>
public sealed record GroupCredentials(string? Password, string? AgentToken)
{
    public static GroupCredentials None { get; } = new(null, null);

    /// <summary>What they hold stays out of logs and messages.</summary>
    public override string ToString() => nameof(GroupCredentials);
}

/// <summary>The Secrets that a group names, and what is in them.</summary>
public sealed record CredentialFacts(IReadOnlyList<SecretFacts> Secrets, GroupCredentials Credentials);

/// <summary>
/// Reads the Secrets that groups name, and nothing else: the operator is allowed to get Secrets, not to list them.
/// An answer is used for a while, so that a changed password takes effect soon without a read for each look.
/// </summary>
public sealed class CredentialReader(IKubernetesApi api, OperatorClock clock)
{
    public const string RedisPasswordField = "engine.redis.passwordSecretRef";
    public const string PostgreSqlPasswordField = "engine.postgreSQL.passwordSecretRef";
    public const string AgentTokenField = "agent.tokenSecretRef";

    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Key, Answer> _known = new();

    /// <summary>Throws <see cref="KubernetesApiException"/> when nothing is known and the API server does not tell.</summary>
    public async Task<CredentialFacts> ReadAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        var (engine, agent) = (group.Spec.Engine, group.Spec.Agent);
        var redis = ReadAsync(group, RedisPasswordField, engine.Redis?.PasswordSecretRef, cancellationToken);
        var postgreSql = ReadAsync(group, PostgreSqlPasswordField, engine.PostgreSql?.PasswordSecretRef, cancellationToken);
        var token = ReadAsync(group, AgentTokenField, agent?.TokenSecretRef, cancellationToken);
        var found = (await Task.WhenAll(redis, postgreSql, token)).OfType<Found>().ToList();
        // Files and editors like to end with a line break, which no token contains.
        return new([.. found.Select(f => f.Facts)], new((await redis)?.Value ?? (await postgreSql)?.Value, (await token)?.Value?.Trim()));
    }

    private async Task<Found?> ReadAsync(RedundancyGroup group, string field, SecretKeyReference? reference, CancellationToken cancellationToken)
    {
        if (reference is null) return null;
        var answer = await AnswerAsync(new Key(group.Namespace(), reference.Name, reference.Key), cancellationToken);
        return new(new SecretFacts(field, reference, answer.Exists, !string.IsNullOrWhiteSpace(answer.Value)), answer.Value);
    }

    /// <summary>A failover must not wait for a Secret that was read before: what was good is read anew behind its back.</summary>
    private async Task<Answer> AnswerAsync(Key key, CancellationToken cancellationToken)
    {
        var known = _known.GetValueOrDefault(key);
        if (known is not null && clock.Now - known.At < MaxAge) return known;
        if (known?.Value is null) return await FetchAsync(key, known, cancellationToken);
        if (known.Refresh is null or { IsCompleted: true }) known.Refresh = FetchAsync(key, known, CancellationToken.None);
        return known;
    }

    private async Task<Answer> FetchAsync(Key key, Answer? known, CancellationToken cancellationToken)
    {
        try
        {
            var secret = await api.GetAsync<V1Secret>(key.Namespace, key.Secret, cancellationToken);
            var value = secret?.Data?.TryGetValue(key.Name, out var bytes) == true ? Encoding.UTF8.GetString(bytes) : null;
            return _known[key] = new Answer(secret is not null, value, clock.Now);
        }
        catch (KubernetesApiException) when (known is not null)
        {
            // An old answer beats none.
            return known;
        }
    }

    private sealed record Key(string Namespace, string Secret, string Name);

    private sealed record Found(SecretFacts Facts, string? Value);

    private sealed record Answer(bool Exists, string? Value, TimeSpan At)
    {
        public Task? Refresh { get; set; }
    }
}
