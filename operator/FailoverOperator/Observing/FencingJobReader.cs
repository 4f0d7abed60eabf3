using System.Security.Cryptography;
using System.Text;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Core.Observations;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Translates fencing Jobs into the core's words. No judgement.</summary>
public static class FencingJobReader
{
    private const int MaxNameLength = 63;

    /// <summary>A Job's name becomes a label of its pod, which must be short.</summary>
    public static string NameOf(string failover)
    {
        var name = $"{failover}-fence";
        if (name.Length <= MaxNameLength) return name;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(failover)))[..10];
        return $"{failover[..(MaxNameLength - hash.Length - "--fence".Length)].TrimEnd('-', '.')}-{hash}-fence";
    }

    public static JobObservation Read(V1Job? job, Failover failover)
    {
        if (job is null) return new JobObservation.NotCreated();
        if (job.Metadata.OwnerReferences?.Any(o => o.Uid == failover.Uid() && o.Controller == true) != true)
            return new JobObservation.Failed($"Job {job.Name()} is not of this failover; delete it");
        if (Condition(job, "Complete") is not null) return new JobObservation.Succeeded();
        if (Condition(job, "Failed") is not { } failed) return new JobObservation.Running();
        var why = new[] { failed.Reason, failed.Message }.Where(text => !string.IsNullOrEmpty(text));
        return new JobObservation.Failed($"Job {job.Name()} failed: {string.Join(": ", why)}");
    }

    private static V1JobCondition? Condition(V1Job job, string type) =>
        job.Status?.Conditions?.FirstOrDefault(c => c.Type == type && c.Status == "True");
}
