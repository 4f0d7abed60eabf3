using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Reporting;

/// <summary>When what is found may be told.</summary>
public static class Publication
{
    /// <summary>
    /// A process that has just started has not heard the members yet. That is nothing to tell: the one before it has said how they are, and a group
    /// whose operator was updated must not look as if its primary had been suspected. To act on what is known is another matter.
    /// </summary>
    public static bool IsPremature(GroupObservation group) =>
        group.AskingFor < FailoverProcedure.ReadinessBound(group.Spec) && group.Members.Any(m => m.Address is not null && m.Probe.Reply is null);
}
