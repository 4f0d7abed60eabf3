using System.Globalization;
using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.CommandLine;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Cli.Cluster;

/// <summary>Asks the operator for something, and waits for what becomes of it.</summary>
internal sealed class Requester(IKubernetesApi api, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>What the operator itself needs beyond the deadline to say that it is over.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    /// <exception cref="CliException">The cluster refuses the request as it is.</exception>
    public async Task<Failover> AskAsync(RedundancyGroup group, FailoverSpec spec, CancellationToken cancellationToken)
    {
        var moment = time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var request = new Failover
        {
            Metadata = new V1ObjectMeta
            {
                Name = $"{group.Metadata.Name}-{spec.Type.ToString().ToLowerInvariant()}-{moment}",
                NamespaceProperty = group.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string> { [ApiGroup.GroupLabel] = group.Metadata.Name },
            },
            Spec = spec,
        };
        try
        {
            return await api.CreateAsync(request, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Invalid or ApiFailure.AlreadyExists)
        {
            throw new CliException(ExitCodes.WrongUse, e.Message, e);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Unreachable or ApiFailure.Unavailable)
        {
            throw new CliException(ExitCodes.NoCluster,
                $"it is unknown whether the request was made: {e.Message}; "
                + $"see kubectl get fo {request.Metadata.Name} -n {request.Metadata.NamespaceProperty}", e);
        }
    }

    /// <summary>How it ended, or how it is when its time is over.</summary>
    /// <param name="changed">Is told of each change on the way.</param>
    /// <exception cref="CliException">Somebody deleted it.</exception>
    public async Task<Failover> WaitAsync(Failover request, Action<Failover> changed, CancellationToken cancellationToken)
    {
        var begin = Views.Moments.Parse(request.Spec.ScheduledAt) is { } scheduled && scheduled > time.GetUtcNow() ? scheduled : time.GetUtcNow();
        // Waiting for its beginning and the change itself have the deadline each.
        var end = begin + TimeSpan.FromSeconds(2.0 * request.Spec.DeadlineSeconds) + Grace;
        var known = "";
        while (true)
        {
            var now = await ReadAsync(request, cancellationToken);
            if (now is not null && $"{now.Status?.Phase} {now.Status?.Reason} {now.Status?.Message}" is var news && news != known)
            {
                known = news;
                changed(now);
            }
            if ((now is not null && Views.FailoverView.Of(now).IsEnded) || time.GetUtcNow() >= end) return now ?? request;
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    /// <summary>Null: the cluster does not answer at the moment, which may pass.</summary>
    private async Task<Failover?> ReadAsync(Failover request, CancellationToken cancellationToken)
    {
        try
        {
            return await api.GetAsync<Failover>(request.Metadata.NamespaceProperty, request.Metadata.Name, cancellationToken)
                ?? throw new CliException(ExitCodes.NotAsWished, $"somebody deleted the request {request.Metadata.Name}");
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Unreachable or ApiFailure.Unavailable)
        {
            return null;
        }
    }
}
