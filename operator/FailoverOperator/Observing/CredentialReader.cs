using System.Collections.Concurrent;
using System.Text;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>The password that a group's Secret holds. Null: none is asked for.</summary>
public sealed record CredentialFacts(bool SecretExists, bool SecretHasKey, string? Password)
{
    public static CredentialFacts NotNeeded { get; } = new(true, true, null);
}

/// <summary>
/// Reads the Secrets that groups name, and nothing else: the operator is allowed to get Secrets, not to list them.
/// An answer is used for a while, so that a changed password takes effect soon without a read for each look.
/// </summary>
public sealed class CredentialReader(IKubernetesApi api, OperatorClock clock)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, (CredentialFacts Facts, TimeSpan At)> _known = new();

    /// <summary>Throws <see cref="KubernetesApiException"/> when nothing is known and the API server does not tell.</summary>
    public async Task<CredentialFacts> ReadAsync(RedundancyGroup group, CancellationToken cancellationToken)
    {
        if (group.Spec.Engine.Redis?.PasswordSecretRef is not { } reference) return CredentialFacts.NotNeeded;
        var key = $"{group.Namespace()}/{reference.Name}/{reference.Key}";
        if (_known.TryGetValue(key, out var known) && clock.Now - known.At < MaxAge) return known.Facts;
        try
        {
            var facts = Read(await api.GetAsync<V1Secret>(group.Namespace(), reference.Name, cancellationToken), reference.Key);
            _known[key] = (facts, clock.Now);
            return facts;
        }
        catch (KubernetesApiException) when (known.Facts is not null)
        {
            // An old answer beats none: a failover must not wait for a Secret that was read before.
            return known.Facts;
        }
    }

    private static CredentialFacts Read(V1Secret? secret, string key) =>
        secret is null ? new(false, false, null)
        : secret.Data?.TryGetValue(key, out var password) == true ? new(true, true, Encoding.UTF8.GetString(password))
        : new(true, false, null);
}
