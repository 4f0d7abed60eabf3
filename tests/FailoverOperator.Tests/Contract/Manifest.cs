using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace FailoverOperator.Tests.Contract;

/// <summary>YAML files of this repository, as JSON.</summary>
internal static class Manifest
{
    private static readonly ISerializer Json = new SerializerBuilder().JsonCompatible().Build();
    private static readonly IDeserializer Yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();

    public static string Root { get; } = FindRoot();

    /// <summary>Reads the first document of a file. <paramref name="path"/> is relative to the repository.</summary>
    public static JsonObject Read(string path) => Parse(File.ReadAllText(Path.Combine(Root, path)));

    public static JsonObject Parse(string yaml) => JsonNode.Parse(Json.Serialize(Yaml.Deserialize(new StringReader(yaml))!))!.AsObject();

    /// <summary>The schema of a kind, from the committed CRD.</summary>
    public static JsonObject SchemaOf(string pluralName) =>
        Crd(pluralName)["schema"]!["openAPIV3Schema"]!.AsObject();

    /// <summary>The only version in the committed CRD of a kind.</summary>
    public static JsonObject Crd(string pluralName) =>
        Assert.Single(Read($"crds/failover-operator.io_{pluralName}.yaml")["spec"]!["versions"]!.AsArray())!.AsObject();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FailoverOperator.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }
}
