using System.Runtime.CompilerServices;
using FailoverOperator.Cli.Views;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Cli.Cluster;

/// <summary>Reads what the operator told, and goes on reading.</summary>
/// <param name="namespaceName">Null: all namespaces.</param>
/// <param name="group">Null: all groups.</param>
internal sealed class EventReader(IKubernetesApi api, TimeProvider time, string? namespaceName, string? group)
{
    private static readonly ListOptions OfGroups = new(FieldSelector: "regarding.kind=RedundancyGroup");
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(5);

    /// <summary>A connection that has died says nothing; so much later than its end it is given up.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Between two watches, so that a server that ends them at once is not pestered.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> _seen = [];
    private string _version = "";

    /// <summary>What has been told, in the order in which it happened.</summary>
    public async Task<IReadOnlyList<EventView>> ListAsync(CancellationToken cancellationToken)
    {
        var list = await api.ListAsync<Eventsv1Event>(namespaceName, OfGroups, cancellationToken);
        _version = list.ResourceVersion;
        return EventView.InOrder(list.Items.Where(IsNew), group);
    }

    /// <summary>What has been told, then what is told from now on, without an end.</summary>
    public async IAsyncEnumerable<EventView> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            foreach (var one in await ListAsync(cancellationToken)) yield return one;
            await foreach (var one in WatchAsync(cancellationToken)) yield return one;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Until it breaks: then only a new list tells what was missed.</summary>
    private async IAsyncEnumerable<EventView> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(WatchTime + Silence, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var watch = api.WatchAsync<Eventsv1Event>(namespaceName, _version, OfGroups, WatchTime, both.Token);
        await using var notices = watch.GetAsyncEnumerator(both.Token);
        while (await NextAsync(notices, deadline.Token, cancellationToken))
        {
            var (type, entity) = notices.Current;
            var isTold = type is WatchNoticeType.Added or WatchNoticeType.Modified;
            if (isTold && EventView.IsAboutGroup(entity, group) && IsNew(entity)) yield return EventView.Of(entity);
        }
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<WatchNotice<Eventsv1Event>> notices, CancellationToken deadline,
        CancellationToken cancellationToken)
    {
        try
        {
            return await notices.MoveNextAsync();
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Expired or ApiFailure.Unreachable or ApiFailure.Unavailable)
        {
            return false;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private bool IsNew(Eventsv1Event entity) =>
        _seen.Add($"{entity.Metadata.NamespaceProperty}/{entity.Metadata.Name}/{entity.Metadata.ResourceVersion}");
}
