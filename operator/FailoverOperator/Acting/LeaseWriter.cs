using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Acting;

/// <summary>
/// Writes what the operator may write into the slot's lease. Every write carries the version that was decided on: if the holder has
/// renewed since, or another operator was faster, it is refused, and everything is looked at anew. This is the whole safety of an
/// expiry: the write that overwrites a lease proves that nobody has renewed it since it was observed.
/// </summary>
public sealed class LeaseWriter(IKubernetesApi api, LeaseLog leases, OperatorClock clock)
{
    public Task AssignAsync(RedundancyGroup group, Step.AssignLease step, CancellationToken cancellationToken) =>
        WriteAsync(group, step.ReadVersion, current => Assigned(current, step), cancellationToken);

    public Task RecreateAsync(RedundancyGroup group, Step.RecreateLease step, CancellationToken cancellationToken) =>
        WriteAsync(group, null, _ => ElectorProtocol.Recreate(step.Term, step.Terms), cancellationToken);

    public Task RevokeAsync(RedundancyGroup group, Step.RevokeLease step, CancellationToken cancellationToken) =>
        WriteAsync(group, step.ReadVersion, current => ElectorProtocol.Revoke(current!), cancellationToken);

    public Task AskHandOverAsync(RedundancyGroup group, Step.AskHandOver step, CancellationToken cancellationToken) => WriteAsync(
        group, step.ReadVersion,
        current => step.Withdraw ? ElectorProtocol.WithdrawHandOver(current!) : ElectorProtocol.AskHandOver(current!), cancellationToken);

    public Task UpdateTermsAsync(RedundancyGroup group, Step.UpdateLeaseTerms step, CancellationToken cancellationToken) =>
        WriteAsync(group, step.ReadVersion, current => current! with { Terms = step.Terms }, cancellationToken);

    private static LeaseRecord Assigned(LeaseRecord? current, Step.AssignLease step) => new()
    {
        Holder = step.Member.Identity,
        Term = step.Term,
        Assignment = LeaseContract.Assignment(step.Member.Identity, step.Term),
        Terms = step.Terms,
        Pledged = step.Pledged,
        Release = step.KeepRelease ? current?.Release : null,
    };

    /// <param name="readVersion">Null: it was decided on there being no lease.</param>
    private async Task WriteAsync(
        RedundancyGroup group, string? readVersion, Func<LeaseRecord?, LeaseRecord> change, CancellationToken cancellationToken)
    {
        var current = leases.Newest(group);
        if (current?.ResourceVersion() != readVersion)
            throw new KubernetesApiException(ApiFailure.Conflict, $"write Lease {LeaseLog.KeyOf(group)}: it has changed since it was decided on");
        try
        {
            var record = change(current is null ? null : LeaseCodec.Read(current).Record);
            var lease = LeaseCodec.Write(current, group.Namespace(), group.Name(), record, clock.WallNow);
            var written = current is null ? await api.CreateAsync(lease, cancellationToken) : await api.ReplaceAsync(lease, cancellationToken);
            // The watch tells of it only later; the next decision is made at once.
            leases.Note(LeaseLog.KeyOf(group), written);
        }
        catch (KubernetesApiException e) when (e.Failure is ApiFailure.Conflict or ApiFailure.AlreadyExists or ApiFailure.NotFound)
        {
            // The watch should have told by now; where it is late, or dead, a read does.
            await leases.ReadAsync(group, cancellationToken);
            throw;
        }
    }
}
