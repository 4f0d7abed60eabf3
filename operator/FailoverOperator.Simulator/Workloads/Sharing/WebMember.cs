using System.Text.Json.Nodes;
using FailoverOperator.Simulator.Cluster;
using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Sharing;

/// <summary>A member like all others: it keeps nothing, and answers everybody unless it is sick.</summary>
internal sealed class WebMember(SimulatedWorld world, Node node, MemberDisk disk, string podName, string podUid, string address, string id, Action<PodContainer> onEnd)
    : HookedContainer(world, node, disk, podName, podUid, address, id, onEnd)
{
    private TimeSpan _sickUntil;
    private bool _tellsKubelet;

    public bool IsFit => IsAtWork && !HasEnded && !IsSick;

    private bool IsSick => World.Loop.Now < _sickUntil;

    protected override bool IsReady => !(IsSick && _tellsKubelet);

    /// <summary>It says so to the operator, and in one way of two to its kubelet as well.</summary>
    public override void FallSick(TimeSpan length, int way) => (_sickUntil, _tellsKubelet) = (World.Loop.Now + length, way % 2 == 0 || !AsksMembers);

    public override void Write(string slot, long number, Action<WriteOutcome> tell)
    {
        if (HasEnded) tell(WriteOutcome.Refused);
        else Process.Do(() => tell(!HasStarted ? WriteOutcome.Refused : IsSick ? WriteOutcome.ReadOnly : WriteOutcome.Acknowledged));
    }

    public override void LoseVolume()
    {
    }

    protected override void Begin()
    {
    }

    protected override HookResult Execute(IReadOnlyList<string> arguments) => arguments is [_, "status", ..]
        ? HookResult.Tells(new JsonObject { ["role"] = "Primary", ["writable"] = !IsSick }.ToJsonString())
        : HookResult.Fails("it is asked for its status only");

    private bool AsksMembers => World.Options.Spec.Engine.Hooks is not null;
}
