using FailoverOperator.Agent.Leases;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Loop;

/// <summary>Calls to the API server that end in time, whatever happens.</summary>
internal sealed class LeaseCalls(ILeaseApi api, TimeProvider time)
{
    /// <summary>An answer that takes longer is as good as none.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    public Task<LeaseReply> RenewAsync(LeaseRecord read, Renewal renewal, CancellationToken cancellationToken) =>
        WithinAsync(LeaseTimings.Of(renewal.Accepted).RenewInterval, token => api.RenewAsync(read, renewal.Accepted, token), cancellationToken);

    public Task<LeaseReply> ReleaseAsync(LeaseRecord read, ReleaseNote note, CancellationToken cancellationToken) =>
        WithinAsync(Longest, token => api.ReleaseAsync(read, note, token), cancellationToken);

    public Task<LeaseReply> ReadAsync(CancellationToken cancellationToken) => WithinAsync(Longest, api.ReadAsync, cancellationToken);

    private async Task<LeaseReply> WithinAsync(TimeSpan bound, Func<CancellationToken, Task<LeaseReply>> call, CancellationToken cancellationToken)
    {
        var timeout = bound < Longest ? bound : Longest;
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await call(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new LeaseReply.Failed(FormattableString.Invariant($"the API server did not answer within {timeout.TotalMilliseconds:0} ms"));
        }
    }
}
