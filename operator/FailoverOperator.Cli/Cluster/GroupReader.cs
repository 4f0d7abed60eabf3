using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Cli.Cluster;

/// <summary>Reads what the commands show.</summary>
internal sealed class GroupReader(IKubernetesApi api)
{
    /// <exception cref="CliException">There is none of this name.</exception>
    public async Task<RedundancyGroup> GroupAsync(string namespaceName, string name, CancellationToken cancellationToken)
    {
        if (await api.GetAsync<RedundancyGroup>(namespaceName, name, cancellationToken) is { } group) return group;
        // Either the object is missing or its kind is: the list tells which.
        var names = (await GroupsAsync(namespaceName, cancellationToken)).Select(g => g.Metadata.Name).ToList();
        var there = names.Count > 0 ? $"there are: {string.Join(", ", names)}" : "there is none at all";
        throw new CliException(ExitCodes.WrongUse, $"there is no RedundancyGroup {name} in namespace {namespaceName}; {there}");
    }

    /// <param name="namespaceName">Null: all namespaces.</param>
    public async Task<IReadOnlyList<RedundancyGroup>> GroupsAsync(string? namespaceName, CancellationToken cancellationToken) =>
        [.. (await ListAsync<RedundancyGroup>(namespaceName, cancellationToken))
            .OrderBy(g => g.Metadata.NamespaceProperty, StringComparer.Ordinal).ThenBy(g => g.Metadata.Name, StringComparer.Ordinal)];

    /// <inheritdoc cref="GroupsAsync"/>
    public Task<IReadOnlyList<Failover>> FailoversAsync(string? namespaceName, CancellationToken cancellationToken) =>
        ListAsync<Failover>(namespaceName, cancellationToken);

    private async Task<IReadOnlyList<T>> ListAsync<T>(string? namespaceName, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return (await api.ListAsync<T>(namespaceName, ListOptions.All, cancellationToken)).Items;
        }
        catch (KubernetesApiException e) when (e.Failure == ApiFailure.NotFound)
        {
            throw new CliException(ExitCodes.NoCluster,
                $"the cluster does not know {ResourceKind.Of<T>().Plural}; install the CRDs: kubectl apply -f crds/", e);
        }
    }
}
