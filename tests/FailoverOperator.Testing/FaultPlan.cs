using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Testing;

/// <summary>What goes wrong with the calls to the fake API server.</summary>
public sealed class FaultPlan
{
    private readonly Lock _gate = new();
    private readonly List<Fault> _faults = [];

    /// <summary>Awaited before each call is carried out: make it slow, or stop it until the test goes on.</summary>
    public Func<ApiCall, CancellationToken, Task>? Before { get; set; }

    /// <summary>Makes the next matching calls fail before they are carried out.</summary>
    /// <param name="matches">Null: any call.</param>
    public void FailNext(ApiFailure failure, Func<ApiCall, bool>? matches = null, int times = 1) => Add(failure, matches, times, afterwards: false);

    /// <summary>Carries out the next matching writes, and loses the answer.</summary>
    public void LoseNextAnswer(Func<ApiCall, bool>? matches = null, int times = 1) => Add(ApiFailure.Unreachable, matches, times, afterwards: true);

    internal async Task EnterAsync(ApiCall call, CancellationToken cancellationToken)
    {
        if (Before is { } before)
            await before(call, cancellationToken);
        Strike(call, afterwards: false);
    }

    internal void Leave(ApiCall call) => Strike(call, afterwards: true);

    private void Add(ApiFailure failure, Func<ApiCall, bool>? matches, int times, bool afterwards)
    {
        lock (_gate)
            _faults.Add(new(failure, matches ?? (_ => true), afterwards) { Left = times });
    }

    private void Strike(ApiCall call, bool afterwards)
    {
        lock (_gate)
        {
            var fault = _faults.Find(candidate => candidate.Afterwards == afterwards && candidate.Matches(call));
            if (fault is null)
                return;
            if (--fault.Left <= 0)
                _ = _faults.Remove(fault);
            throw new KubernetesApiException(fault.Failure, $"{call.Verb} {call.Kind} {call.Namespace}/{call.Name}: injected {fault.Failure}");
        }
    }

    private sealed record Fault(ApiFailure Failure, Func<ApiCall, bool> Matches, bool Afterwards)
    {
        public int Left { get; set; }
    }
}
