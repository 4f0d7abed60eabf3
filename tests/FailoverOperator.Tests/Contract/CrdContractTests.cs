using System.Reflection;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.Attributes;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.CrdGenerator;
using k8s.Models;

namespace FailoverOperator.Tests.Contract;

/// <summary>The committed CRDs are what the types say, and the types say all that users need.</summary>
public sealed class CrdContractTests
{
    /// <summary>What agents say to each other and to the operator is not for users.</summary>
    private static readonly Type[] ContractTypes = [.. typeof(ApiGroup).Assembly.GetTypes()
        .Where(type => type.Namespace != typeof(DescriptionAttribute).Namespace && type.Namespace != typeof(AgentContract).Namespace)];

    private static readonly string[] RuleNames = [.. typeof(RuleIds).GetFields().Select(field => (string)field.GetRawConstantValue()!)];

    [Theory]
    [InlineData("crds")]
    [InlineData("charts/failover-operator/crds")]
    public void Committed_crds_are_those_generated(string folder)
    {
        var output = new StringWriter();
        Assert.True(CommandLine.Run(["--check", "--output", Path.Combine(Manifest.Root, folder)], output, output) == 0, output.ToString());
    }

    [Fact]
    public void Every_field_is_described()
    {
        var bare = ContractTypes.Where(type => type is { IsClass: true, IsAbstract: false })
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(property => !(property.DeclaringType!.IsDefined(typeof(KubernetesEntityAttribute)) && property.Name is "ApiVersion" or "Kind" or "Metadata"))
            .Where(property => string.IsNullOrWhiteSpace(property.GetCustomAttribute<DescriptionAttribute>()?.Description));
        Assert.Empty(bare.Select(property => $"{property.DeclaringType!.Name}.{property.Name}"));
    }

    [Fact]
    public void Every_rule_id_is_used_once()
    {
        var used = ContractTypes.SelectMany(type => type.GetCustomAttributes<ValidationRuleAttribute>()
            .Concat(type.GetProperties().SelectMany(property => property.GetCustomAttributes<ValidationRuleAttribute>())));
        Assert.Equal(RuleNames.Order(), used.Select(rule => rule.Id).Order());
    }
}
