using FailoverOperator.Simulator.ApiServers;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;
using FailoverOperator.Simulator.Operators;

namespace FailoverOperator.Simulator.Faults;

/// <summary>Does to a world what a strike says.</summary>
public sealed class Injector(SimulatedWorld world)
{
    private readonly Hands _hands = new(world);
    private bool _hasLostVolume;

    public void Hit(Strike strike)
    {
        var length = TimeSpan.FromMilliseconds(strike.ForMilliseconds);
        var node = NodeOf(strike.Whom);
        world.Trace.Write("fault", $"{strike.Fault} {node.Name} {strike.Other} for {strike.ForMilliseconds} ms");
        world.Judge.Happened($"fault {strike.Fault}");
        Disturb(strike.Fault, length);
        if (!HitMember(strike, node, length) && !HitNetwork(strike, node, length) && !HitOperator(strike, length)
            && !HitApi(strike, node, length) && !_hands.Hit(strike, node))
            throw new ArgumentOutOfRangeException(nameof(strike), strike, "a fault that the simulator does not know");
    }

    /// <summary>Beside the members: for so long, and a while to get over it.</summary>
    private void Disturb(Fault fault, TimeSpan length)
    {
        var isOfMembers = fault is Fault.MemberSick or Fault.NodeDestroyed || fault < Fault.KubeletHang;
        // A watch that says nothing is noticed when it should have ended at the latest.
        var until = world.Loop.Now + length + (fault == Fault.WatchesSilent ? TimeSpan.FromSeconds(400) : TimeSpan.FromSeconds(10));
        if (!isOfMembers && until > world.DisturbedUntil) world.DisturbedUntil = until;
    }

    private bool HitMember(Strike strike, Node node, TimeSpan length)
    {
        var container = node.Containers.FirstOrDefault();
        var worker = container?.Worker;
        switch (strike.Fault)
        {
            case Fault.ServerCrash:
                container?.Crash();
                return true;
            case Fault.ServerHang:
                worker?.Pause();
                After(length, () => worker?.Resume());
                return true;
            case Fault.ServerUnkillable:
                if (container is not null) container.UnkillableUntil = world.Loop.Now + length;
                return true;
            case Fault.AgentPause:
                container?.Supervisor.Pause();
                After(length, () => container?.Supervisor.Resume());
                return true;
            case Fault.ContainerFreeze:
                container?.Freeze();
                After(length, () => container?.Thaw());
                return true;
            case Fault.ContainerKill:
                container?.End();
                return true;
            case Fault.ServerWontStart:
                if (container is not null) container.UnstartableUntil = world.Loop.Now + length;
                container?.Crash();
                return true;
            case Fault.VolumeLost:
                LoseVolume(container);
                return true;
            case Fault.NodeDestroyed:
                if (container is null || _hasLostVolume || !world.Workload.MayLoseVolume(container)) return true;
                _hasLostVolume = true;
                world.Destroy(node);
                return true;
            case Fault.MemberSick:
                container?.FallSick(length, strike.Other);
                return true;
            case Fault.PowerCutEverywhere:
                foreach (var each in world.Nodes) world.CutPower(each);
                foreach (var each in world.Nodes) After(length + world.Milliseconds(0, 3000), () => world.RestorePower(each));
                return true;
            case Fault.PowerCut:
                world.CutPower(node);
                After(length, () => world.RestorePower(node));
                return true;
            case Fault.KubeletHang:
                node.KubeletHangs = true;
                After(length, () => node.KubeletHangs = false);
                return true;
            case Fault.WallClockStep:
                node.Clock.WallOffset += length * (strike.Other % 2 == 0 ? 100 : -100);
                return true;
            default:
                return false;
        }
    }

    private bool HitNetwork(Strike strike, Node node, TimeSpan length)
    {
        var (network, until, other) = (world.Network, world.Loop.Now + length, world.Nodes[strike.Other % world.Nodes.Count].Name);
        var others = world.Machines.Append(Clients.Writer.Machine).Where(m => m != node.Name).ToList();
        switch (strike.Fault)
        {
            case Fault.NodeCutOff:
                foreach (var machine in others) network.CutBoth(node.Name, machine, until);
                return true;
            case Fault.NodeCutFromApi:
                network.CutBoth(node.Name, ApiServer.Machine, until);
                return true;
            case Fault.NodeDeaf:
                foreach (var machine in others) network.Cut(machine, node.Name, until);
                return true;
            case Fault.NodeMute:
                foreach (var machine in others) network.Cut(node.Name, machine, until);
                return true;
            case Fault.PeersCut:
                network.CutBoth(node.Name, other, until);
                return true;
            case Fault.PeersCutOneWay:
                network.Cut(node.Name, other, until);
                return true;
            case Fault.ZoneCutOff:
                foreach (var inside in world.Nodes.Where(n => n.Zone == node.Zone))
                    foreach (var machine in world.Machines.Where(m => world.Nodes.All(n => n.Name != m || n.Zone != node.Zone))) network.CutBoth(
                        inside.Name, machine, until);
                return true;
            case Fault.SlowNode:
                network.Slow(node.Name, TimeSpan.FromMilliseconds(20 * (1 + strike.Other)));
                After(length, () => network.Slow(node.Name, TimeSpan.Zero));
                return true;
            case Fault.PacketLoss:
                network.LossPerMille = 10 * (1 + strike.Other);
                After(length, () => network.LossPerMille = 0);
                return true;
            default:
                return false;
        }
    }

    private bool HitOperator(Strike strike, TimeSpan length)
    {
        var (network, until, one) = (world.Network, world.Loop.Now + length, world.Operators[strike.Whom % world.Operators.Count]);
        switch (strike.Fault)
        {
            case Fault.OperatorCrash:
                one.Kill();
                return true;
            case Fault.OperatorCrashBeforeWrite or Fault.OperatorCrashAfterWrite:
                one.CrashAt = (1 + strike.Other, strike.Fault == Fault.OperatorCrashBeforeWrite);
                return true;
            case Fault.OperatorPause:
                Pause(one, length);
                return true;
            case Fault.OperatorCutFromApi:
                network.CutBoth(one.Machine, ApiServer.Machine, until);
                return true;
            case Fault.OperatorCutFromNodes:
                foreach (var node in world.Nodes.Where((_, n) => strike.Other % 4 == 3 || n == strike.Other % world.Nodes.Count)) network.CutBoth(
                    one.Machine, node.Name, until);
                return true;
            case Fault.OperatorCutOff:
                foreach (var machine in world.Machines.Where(m => m != one.Machine)) network.CutBoth(one.Machine, machine, until);
                return true;
            case Fault.OperatorAnswersLost:
                world.Api.LoseAnswers(one.Machine, true);
                After(length, () => world.Api.LoseAnswers(one.Machine, false));
                return true;
            default:
                return false;
        }
    }

    private bool HitApi(Strike strike, Node node, TimeSpan length)
    {
        var api = world.Api;
        var machine = strike.Other % 3 == 0 ? world.Operators[0].Machine : node.Name;
        switch (strike.Fault)
        {
            case Fault.ApiOutage or Fault.ApiHang:
                api.GoAway(strike.Fault == Fault.ApiHang ? Outage.Hanging : Outage.Refusing);
                After(length, api.ComeBack);
                return true;
            case Fault.ApiErrors:
                api.ErrorsPerMille = 50 * (1 + strike.Other);
                After(length, () => api.ErrorsPerMille = 0);
                return true;
            case Fault.ApiSlow:
                api.SlowBy = TimeSpan.FromMilliseconds(150 * (1 + strike.Other));
                After(length, () => api.SlowBy = TimeSpan.Zero);
                return true;
            case Fault.AnswersLost:
                api.LoseAnswers(node.Name, true);
                After(length, () => api.LoseAnswers(node.Name, false));
                return true;
            case Fault.WatchesLag:
                api.DelayWatches(machine, length / 4);
                After(length, () => api.DelayWatches(machine, TimeSpan.Zero));
                return true;
            case Fault.WatchesBreak:
                api.BreakWatches(machine);
                return true;
            case Fault.WatchesSilent:
                api.SilenceWatches(machine);
                return true;
            case Fault.HistoryCompacted:
                api.Compact();
                return true;
            default:
                return false;
        }
    }

    private void Pause(SimulatedOperator one, TimeSpan length)
    {
        var process = one.Process;
        process.Pause();
        After(length, process.Resume);
    }

    /// <summary>
    /// Of anybody, and once in a world, and not while another one's data are in pieces: no number of copies outlives the loss of all of them.
    /// </summary>
    private void LoseVolume(PodContainer? container)
    {
        if (container is null || _hasLostVolume || !world.Workload.MayLoseVolume(container)) return;
        _hasLostVolume = true;
        if (world.Workload.Active.Contains(container)) world.Judge.Happened("the volume of a primary is lost");
        container.End();
        container.LoseVolume();
    }

    /// <summary>The primary's as often as all the others' together.</summary>
    private Node NodeOf(int whom)
    {
        var active = world.Workload.Active;
        return active.Count > 0 && whom % 2 == 0 ? active[whom / 2 % active.Count].Node : world.Nodes[whom % world.Nodes.Count];
    }

    private void After(TimeSpan length, Action action) => world.Loop.After(length, action);
}
