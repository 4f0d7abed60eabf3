using System.Reflection;
using FailoverOperator.Core.Decisions;
using FailoverOperator.Core.Detection;
using FailoverOperator.Core.Observations;
using FailoverOperator.Core.Recovery;

namespace FailoverOperator.Core.Tests.Architecture;

/// <summary>The core is pure: nothing of the world can be reached from it.</summary>
public sealed class ArchitectureTests
{
    private static readonly Assembly Core = typeof(Decider).Assembly;

    [Theory]
    [InlineData("Kubernetes")]
    [InlineData("k8s")]
    [InlineData("System.Net")]
    [InlineData("Microsoft.Extensions")]
    [InlineData("StackExchange")]
    [InlineData("Polly")]
    [InlineData("System.IO")]
    [InlineData("System.Diagnostics.Process")]
    public void The_core_references_nothing_of(string prefix) =>
        Assert.DoesNotContain(Core.GetReferencedAssemblies(), a => a.Name!.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void The_core_mentions_no_type_that_reaches_the_world()
    {
        string[] banned = ["System.Net", "System.IO", "System.Threading", "k8s", "Microsoft.Extensions", "System.Diagnostics.Stopwatch"];
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        // Coverage measurement adds types of its own.
        var own = Core.GetTypes().Where(type => type.Namespace?.StartsWith("FailoverOperator", StringComparison.Ordinal) == true);
        var mentioned = own.SelectMany(type => type.GetMethods(all).SelectMany(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType)
                .Concat(m.GetMethodBody()?.LocalVariables.Select(v => v.LocalType) ?? []))
            .Concat(type.GetFields(all).Select(f => f.FieldType)));
        Assert.DoesNotContain(mentioned, type => banned.Any(name => type.FullName?.StartsWith(name, StringComparison.Ordinal) == true));
    }

    [Theory]
    [InlineData(typeof(Decision))]
    [InlineData(typeof(Diagnosis))]
    [InlineData(typeof(Step))]
    [InlineData(typeof(Choice))]
    [InlineData(typeof(Eligibility))]
    [InlineData(typeof(EngineReply))]
    [InlineData(typeof(EngineOutcome))]
    public void A_closed_hierarchy_cannot_be_extended(Type root)
    {
        Assert.True(root.IsAbstract);
        Assert.All(root.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
            .Where(c => c.GetParameters() is not [var only] || only.ParameterType != root), c => Assert.True(c.IsPrivate));
        Assert.All(Core.GetTypes().Where(t => t.IsSubclassOf(root)), t => Assert.True(t.IsSealed && t.DeclaringType == root));
    }
}
