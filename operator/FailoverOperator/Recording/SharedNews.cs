using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Runtime.Controllers;

namespace FailoverOperator.Recording;

/// <summary>Tells people of groups in which nobody is promoted: who takes traffic, and who does not any more.</summary>
public sealed class SharedNews(EventOutbox events, OperatorMetrics metrics)
{
    public void Admitted(RedundancyGroup group, Member member) =>
        events.Post(group, EventReasons.MemberAdmitted, $"{member.Name} takes traffic", EventType.Normal);

    public void Repointed(RedundancyGroup group, Member leader, long term) =>
        events.Post(group, EventReasons.TrafficRepointed, $"the Services lead to {leader.Name}, which was elected in term {term}", EventType.Normal);

    public void Replaced(RedundancyGroup group, string member, string? node) => events.Post(
        group, EventReasons.MemberReplaced, $"{member} is deleted so that it is made anew: its node {node} is lost", EventType.Warning);

    public void Ejected(RedundancyGroup group, Member member, string? why)
    {
        metrics.Ejected(group);
        events.Post(group, EventReasons.MemberEjected, $"{member.Name} takes no traffic any more: it {why}", EventType.Warning);
    }
}
