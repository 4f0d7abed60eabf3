using FailoverOperator.Simulator.Engines;

namespace FailoverOperator.Simulator.Workloads.Voters;

/// <summary>What a member of a store that elects keeps.</summary>
internal sealed class VoterDisk : MemberDisk
{
    public Volume Volume { get; } = new("");

    public long Term { get; set; }

    /// <summary>In this term. Null: for nobody.</summary>
    public string? VotedFor { get; set; }

    /// <summary>It has nothing, and may have forgotten what it voted: it learns from the leader before it votes.</summary>
    public bool IsLearner { get; set; }

    public void Lose()
    {
        Volume.Lose();
        (Term, VotedFor, IsLearner) = (0, null, true);
    }
}
