using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Simulator.Networking;
using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulator.ApiServers;

/// <summary>What one process sends its requests with.</summary>
public sealed class ApiConnection(Network network, ApiServer server, string machine, SimulatedProcess process)
{
    public ApiServer Server => server;

    public string Machine => machine;

    public SimulatedProcess Process => process;

    /// <summary>Called before a write is sent; the process may be killed here, and then it is not sent.</summary>
    public Action<ApiRequest>? Sending { get; set; }

    /// <summary>Called when a write has been carried out, before its answer.</summary>
    public Action<ApiRequest>? CarriedOut { get; set; }

    /// <summary>One request and its answer. Once it is on its way, giving up does not call it back.</summary>
    public async Task<T> CallAsync<T>(ApiRequest request, TimeSpan timeout, Func<T> carryOut, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (request.IsWrite) Sending?.Invoke(request);
        var answer = new TaskCompletionSource<T>();
        if (!process.HasEnded)
            network.Send(machine, ApiServer.Machine, () => server.Handle(machine, request, () => CarryOut(request, carryOut), Arrive),
                () => answer.Task.IsCompleted);

        using var timer = process.Time.CreateTimer(_ => GiveUp(), null, timeout, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        return await answer.Task;

        void Arrive(T? result, KubernetesApiException? failure) => _ = failure is null
            ? answer.TrySetResult(result!)
            : answer.TrySetException(failure);

        void GiveUp() => answer.TrySetException(new KubernetesApiException(
            ApiFailure.Unreachable, $"{request}: no answer within {timeout.TotalSeconds:0.#} s"));
    }

    private T CarryOut<T>(ApiRequest request, Func<T> carryOut)
    {
        var result = carryOut();
        if (request.IsWrite) CarriedOut?.Invoke(request);
        return result;
    }
}
