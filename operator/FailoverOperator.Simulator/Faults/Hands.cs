using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Observations;
using FailoverOperator.Simulator.Cluster;
using k8s.Models;

namespace FailoverOperator.Simulator.Faults;

/// <summary>What people do with kubectl, meaning well.</summary>
internal sealed class Hands(SimulatedWorld world)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(12);
    private static readonly string Lease = LeaseContract.LeaseName(Objects.Group, ApiGroup.FirstSlot);

    private int _requests;

    public bool Hit(Strike strike, Node node)
    {
        world.IsByHand = true;
        try
        {
            return Do(strike, node);
        }
        finally
        {
            world.IsByHand = false;
        }
    }

    private bool Do(Strike strike, Node node)
    {
        // They cannot do anything either while the API server is away.
        if (!world.Api.IsUp) return true;
        var cluster = world.Cluster;
        var pod = cluster.All<V1Pod>().FirstOrDefault(p => p.Spec.NodeName == node.Name);
        switch (strike.Fault)
        {
            case Fault.PodDeleted:
                if (pod is not null) cluster.Delete<V1Pod>(pod.Metadata.Name);
                return true;
            case Fault.PodForceDeleted:
                if (pod is not null) cluster.Remove<V1Pod>(pod.Metadata.Name);
                return true;
            case Fault.RollingRestart:
                RestartAll();
                return true;
            case Fault.LeaseHolderEdited:
                var other = cluster.All<V1Pod>().ElementAtOrDefault(strike.Other % world.Options.Members);
                if (other is not null) cluster.Change<V1Lease>(
                    Lease, l => l.Spec.HolderIdentity = LeaseContract.Identity(other.Metadata.Name, other.Metadata.Uid));
                return true;
            case Fault.LeaseTermEdited:
                cluster.Change<V1Lease>(Lease, l => l.Spec.LeaseTransitions = Math.Max(0, (l.Spec.LeaseTransitions ?? 0) + (strike.Other % 5) - 2));
                return true;
            case Fault.LeaseEmptied:
                cluster.Change<V1Lease>(Lease, l =>
                {
                    l.Spec.HolderIdentity = null;
                    if (strike.Other % 2 == 0) l.Metadata.Annotations?.Clear();
                });
                return true;
            case Fault.LeaseDeleted:
                cluster.Delete<V1Lease>(Lease);
                return true;
            case Fault.LabelsEdited:
                if (pod is not null) cluster.Change<V1Pod>(pod.Metadata.Name, p => Relabel(p, strike));
                return true;
            case Fault.FailsafeSwitched:
                Change(spec => spec with { Fencing = spec.Fencing with { Failsafe = Other(spec.Fencing.Failsafe) } });
                return true;
            case Fault.TimingsChanged:
                Change(spec => spec with { Detection = spec.Detection with { LeaseDurationSeconds = 5 + (strike.Other % 6) } });
                return true;
            case Fault.SwitchoverRequested or Fault.FailoverRequested:
                Ask(strike);
                return true;
            case Fault.GroupSuspended:
                Change(spec => spec with { Suspended = new SuspensionSpec { Reason = "maintenance" } });
                world.Loop.After(TimeSpan.FromMilliseconds(strike.ForMilliseconds), () => Change(spec => spec with { Suspended = null }));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Nobody comes back who has more: what the group's condition asks for is given, where it asks to accept a loss.</summary>
    /// <returns>Whether there was anything of the kind.</returns>
    public bool AcceptLoss()
    {
        const string Command = ApiGroup.DataLossAcceptedAnnotation + "=";
        var message = world.Cluster.Find<RedundancyGroup>(Objects.Group)?.Status?.Conditions.FirstOrDefault(c => c.Type == ConditionTypes.Progressing)?.Message ?? "";
        var names = message.Split(Command).Skip(1).SelectMany(rest => rest.Split(' ', ';')[0].Split(',')).Distinct().ToList();
        if (names.Count == 0) return false;
        world.Trace.Write("person", $"accepts the loss: {string.Join(',', names)}");
        world.Cluster.Change<RedundancyGroup>(Objects.Group, group =>
        {
            group.Metadata.Annotations ??= new SortedDictionary<string, string>(StringComparer.Ordinal);
            group.Metadata.Annotations[ApiGroup.DataLossAcceptedAnnotation] = string.Join(',', names);
        });
        return true;
    }

    private void Relabel(V1Pod pod, Strike strike)
    {
        if (!Slots.AreBound(world.Options.Spec) || strike.Other % 4 < 2)
            pod.Metadata.Labels[ApiGroup.RoleLabel] = strike.Other % 2 == 0 ? RoleLabels.Active : RoleLabels.Standby;
        else if (strike.Other % 4 == 2) pod.Metadata.Labels.Remove(ApiGroup.SlotLabel);
        else pod.Metadata.Labels[ApiGroup.SlotLabel] = SlotOf(strike.Other);
    }

    private void Ask(Strike strike) => world.Cluster.Create(new Failover
    {
        Metadata = new V1ObjectMeta { Name = FormattableString.Invariant($"ask-{++_requests}"), NamespaceProperty = Objects.Namespace, Generation = 1 },
        Spec = new FailoverSpec
        {
            GroupRef = new GroupReference { Name = Objects.Group },
            Slot = SlotOf(strike.Whom),
            Type = strike.Fault == Fault.FailoverRequested ? FailoverType.Failover : FailoverType.Switchover,
            Target = strike.Other % 3 == 0 ? null : FormattableString.Invariant($"{Objects.Group}-{strike.Other % world.Options.Members}"),
            DeadlineSeconds = 5 + (5 * strike.Whom),
        },
    });

    private string SlotOf(int number) => Slots.Names(world.Options.Spec) is var slots ? slots[number % slots.Count] : ApiGroup.FirstSlot;

    /// <summary>As by a change of the StatefulSet's template: the last first, each when the one before is ready again, or has had its time.</summary>
    private void RestartAll()
    {
        for (var n = 0; n < world.Options.Members; n++)
        {
            var name = FormattableString.Invariant($"{Objects.Group}-{world.Options.Members - 1 - n}");
            world.Loop.After(Pause * n, () =>
            {
                if (world.Api.IsUp && !world.HasHealed) world.Cluster.Delete<V1Pod>(name);
            });
        }
    }

    private static Failsafe Other(Failsafe failsafe) => failsafe == Failsafe.Enabled ? Failsafe.Disabled : Failsafe.Enabled;

    private void Change(Func<RedundancyGroupSpec, RedundancyGroupSpec> change) =>
        world.Cluster.Change<RedundancyGroup>(Objects.Group, group => group.Spec = change(group.Spec));
}
