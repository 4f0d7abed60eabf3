using FailoverOperator.Api;
using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Acceptance;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;
using FailoverOperator.Core.Reporting;
using FailoverOperator.Core.Sharing;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace FailoverOperator.Core.Tests.Scenarios;

/// <summary>Each folder beside this file is a case: what the operator sees (given.yaml), and what it makes of it (expect.yaml).</summary>
public sealed class ScenarioTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Scenarios");
    private static readonly IDeserializer Reader = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build();
    private static readonly ISerializer Writer = new SerializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build();

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Folder).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case(string name)
    {
        var given = Read<GivenFile>(name, "given.yaml");
        // As text, so that a failure shows the whole of both.
        var actual = Writer.Serialize(given.Spec.Mode == RedundancyMode.ActivePassive ? Decide(given.Read()) : Decide(given.ReadShared()));
        var expected = Writer.Serialize(Read<ExpectFile>(name, "expect.yaml"));
        Assert.True(expected == actual, $"expected:{Environment.NewLine}{expected}{Environment.NewLine}actual:{Environment.NewLine}{actual}");
    }

    /// <summary>An operator that may not read nodes knows less in each of them: it accuses no node, and takes none for a proof.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Without_a_look_at_the_nodes_none_is_accused_and_none_is_a_proof(string name)
    {
        var seen = Read<GivenFile>(name, "given.yaml").Read();
        var verdict = Decider.Decide(seen with { Members = [.. seen.Members.Select(m => m.OnNode(NodeState.Unobserved).InZone(null))] });
        Assert.NotEqual(FailoverCause.PrimaryNodeDown, (verdict.Diagnosis as Diagnosis.PrimaryFailed)?.Cause);
        var steps = verdict.Decision is Decision.Advance(var all) ? all : [];
        Assert.DoesNotContain(steps, step => step is Step.TaintNode or Step.Enter { Fence: FenceEvidence.NodeOutOfService or FenceEvidence.KubeletCaughtUp });
    }

    private static ExpectFile Decide(GroupObservation group)
    {
        var verdict = Decider.Decide(group);
        // A loss is on offer if, and only if, the message says how to accept it.
        var message = verdict.Decision is Decision.Blocked(_, var why) ? why : verdict.Decision is Decision.Wait(_, _, var until) ? until : "";
        Assert.Equal(message.Contains(ApiGroup.DataLossAcceptedAnnotation, StringComparison.Ordinal), verdict.Decision.Loss is not null);
        return ExpectFile.Of(verdict, GroupReport.Of(group, Fine, verdict));
    }

    private static ExpectFile Decide(SharedObservation seen)
    {
        var verdict = SharedDecider.Decide(seen);
        return ExpectFile.Of(verdict, SharedReport.Of(seen.Group, Fine, verdict));
    }

    private static readonly AcceptanceVerdict Fine = new(true, true, Reasons.Valid, "fine");

    private static T Read<T>(string name, string file) => Reader.Deserialize<T>(File.ReadAllText(Path.Combine(Folder, name, file)));
}
