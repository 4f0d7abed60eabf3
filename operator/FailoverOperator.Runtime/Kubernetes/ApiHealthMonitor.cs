namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>
/// Asks the API server something small now and then, so that <see cref="ApiHealth"/> tells its silence within
/// seconds even when there is nothing else to ask.
/// </summary>
public sealed class ApiHealthMonitor(ApiTransport transport, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _ = await transport.ReadAsync("version", "ask for the version", cancellationToken);
            }
            catch (KubernetesApiException)
            {
                // The transport has taken note of it.
            }
            await Task.Delay(Interval, time, cancellationToken);
        }
    }
}
