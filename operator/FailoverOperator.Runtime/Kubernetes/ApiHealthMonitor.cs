namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// Asks the API server something small now and then, so that <see cref="ApiHealth"/> tells its silence within
/// seconds even when there is nothing else to ask.
/// </summary>
public sealed class ApiHealthMonitor(IKubernetesApi api, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _ = await api.IsServedAsync("failover-operator.io", "v1alpha1", "redundancygroups", cancellationToken);
            }
            catch (KubernetesApiException)
            {
                // Taken note of where the answers are counted.
            }
            await Task.Delay(Interval, time, cancellationToken);
        }
    }
}
