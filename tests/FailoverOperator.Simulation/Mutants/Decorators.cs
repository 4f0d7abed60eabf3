using System.Runtime.CompilerServices;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Agent.Servers;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Observations;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;

namespace FailoverOperator.Simulation.Mutants;

/// <summary>Passes everything on.</summary>
internal abstract class LeaseDecorator(ILeaseApi real) : ILeaseApi
{
    protected ILeaseApi Real => real;

    public virtual Task<LeaseReply> ReadAsync(CancellationToken cancellationToken) => real.ReadAsync(cancellationToken);

    public virtual Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken) =>
        real.RenewAsync(read, accepted, cancellationToken);

    public virtual Task<LeaseReply> ReleaseAsync(LeaseRecord read, ReleaseNote note, CancellationToken cancellationToken) =>
        real.ReleaseAsync(read, note, cancellationToken);

    public virtual IAsyncEnumerable<LeaseRecord?> WatchAsync(CancellationToken cancellationToken) => real.WatchAsync(cancellationToken);
}

/// <inheritdoc cref="LeaseDecorator"/>
internal abstract class ServerDecorator(IMemberServer real) : IMemberServer
{
    protected IMemberServer Real => real;

    public virtual Task<EngineReply> StatusAsync(CancellationToken cancellationToken) => real.StatusAsync(cancellationToken);

    public virtual Task<EngineOutcome> ServeAsync(
        long term, LeaseTerms terms, HistoryFloor? floor, Action beforeWritable, CancellationToken cancellationToken) =>
        real.ServeAsync(term, terms, floor, beforeWritable, cancellationToken);

    public virtual Task<EngineOutcome> FollowAsync(Leader leader, CancellationToken cancellationToken) => real.FollowAsync(leader, cancellationToken);

    public virtual Task<EngineOutcome> StandByAsync(CancellationToken cancellationToken) => real.StandByAsync(cancellationToken);

    public virtual Task<EngineOutcome> DemoteAsync(CancellationToken cancellationToken) => real.DemoteAsync(cancellationToken);

    public virtual Task<long?> ShutDownAsync(CancellationToken cancellationToken) => real.ShutDownAsync(cancellationToken);
}

/// <inheritdoc cref="LeaseDecorator"/>
internal abstract class EngineDecorator(IEngine real) : IEngine
{
    protected IEngine Real => real;

    public virtual Task<EngineReply> StatusAsync(MemberEndpoint member, CancellationToken cancellationToken) =>
        real.StatusAsync(member, cancellationToken);

    public Task<EngineOutcome> PromoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        real.PromoteAsync(member, context, cancellationToken);

    public Task<EngineOutcome> FollowAsync(MemberEndpoint member, MemberEndpoint primary, EngineContext context,
        CancellationToken cancellationToken) =>
        real.FollowAsync(member, primary, context, cancellationToken);

    public Task<EngineOutcome> DemoteAsync(MemberEndpoint member, EngineContext context, CancellationToken cancellationToken) =>
        real.DemoteAsync(member, context, cancellationToken);

    public virtual Task<EngineOutcome> VerifyAsync(
        MemberEndpoint member, string address, int port, EngineContext context, CancellationToken cancellationToken) =>
        real.VerifyAsync(member, address, port, context, cancellationToken);

    public ValueTask DisposeAsync() => real.DisposeAsync();
}

/// <inheritdoc cref="LeaseDecorator"/>
internal abstract class ApiDecorator(IKubernetesApi real) : IKubernetesApi
{
    protected IKubernetesApi Real => real;

    public virtual Task<T?> GetAsync<T>(string? namespaceName, string name, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.GetAsync<T>(namespaceName, name, cancellationToken);

    public virtual Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.ListAsync<T>(namespaceName, options, cancellationToken);

    public virtual IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(
        string? namespaceName, string resourceVersion, ListOptions options, TimeSpan serverTimeout, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
            real.WatchAsync<T>(namespaceName, resourceVersion, options, serverTimeout, cancellationToken);

    public virtual Task<T> CreateAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.CreateAsync(entity, cancellationToken);

    public virtual Task<T> ReplaceAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.ReplaceAsync(entity, cancellationToken);

    public virtual Task<T> ReplaceStatusAsync<T>(T entity, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.ReplaceStatusAsync(entity, cancellationToken);

    public virtual Task<T> MergePatchAsync<T>(string? namespaceName, string name, object patch, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.MergePatchAsync<T>(namespaceName, name, patch, cancellationToken);

    public virtual Task DeleteAsync<T>(string? namespaceName, string name, DeleteOptions options, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> => real.DeleteAsync<T>(namespaceName, name, options, cancellationToken);

    public Task<bool> IsServedAsync(string group, string version, string plural, CancellationToken cancellationToken) =>
        real.IsServedAsync(group, version, plural, cancellationToken);

    public Task<ResourceKind?> FindScalableAsync(string apiVersion, string kind, CancellationToken cancellationToken) =>
        real.FindScalableAsync(apiVersion, kind, cancellationToken);

    public Task<V1Scale?> GetScaleAsync(ResourceKind kind, string namespaceName, string name, CancellationToken cancellationToken) =>
        real.GetScaleAsync(kind, namespaceName, name, cancellationToken);

    public Task<V1Scale> ReplaceScaleAsync(ResourceKind kind, V1Scale scale, CancellationToken cancellationToken) =>
        real.ReplaceScaleAsync(kind, scale, cancellationToken);
}

/// <summary>Changes what operators read.</summary>
internal sealed class Reads(IKubernetesApi real, Func<object, object> change) : ApiDecorator(real)
{
    public override async Task<ResourceList<T>> ListAsync<T>(string? namespaceName, ListOptions options, CancellationToken cancellationToken)
    {
        var list = await Real.ListAsync<T>(namespaceName, options, cancellationToken);
        return list with { Items = [.. list.Items.Select(item => (T)change(item))] };
    }

    public override async IAsyncEnumerable<WatchNotice<T>> WatchAsync<T>(string? namespaceName, string resourceVersion, ListOptions options,
        TimeSpan serverTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var notice in Real.WatchAsync<T>(namespaceName, resourceVersion, options, serverTimeout, cancellationToken))
            yield return notice with { Entity = (T)change(notice.Entity) };
    }
}
