using FailoverOperator.Agent.Hosting;

namespace FailoverOperator.Agent.Tests.Hosting;

public sealed class AgentSettingsTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("service-account-");
    private readonly Dictionary<string, string> variables;

    public AgentSettingsTests()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "token"), "x");
        File.WriteAllText(Path.Combine(folder.FullName, "ca.crt"), "x");
        variables = new()
        {
            ["FAILOVER_GROUP"] = "db",
            ["FAILOVER_TOKEN"] = "t0ken+/=",
            ["FAILOVER_SERVICE_ACCOUNT"] = folder.FullName,
            ["POD_NAME"] = "db-0",
            ["POD_UID"] = "uid-0",
            ["POD_NAMESPACE"] = "shop",
            ["POD_IP"] = "10.0.0.1",
            ["KUBERNETES_SERVICE_HOST"] = "fd00::1",
            ["KUBERNETES_SERVICE_PORT"] = "6443",
        };
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void What_is_not_said_has_its_default()
    {
        var settings = Read().Settings!;
        Assert.Equal(("db-0/uid-0", "db-0", 8008), (settings.Identity, settings.LeaseName, settings.Port));
        Assert.Equal("https://[fd00::1]:6443/", settings.Account.Address.ToString());
    }

    [Theory]
    [InlineData("FAILOVER_GROUP", "", "FAILOVER_GROUP is not set")]
    [InlineData("POD_IP", "db-0.db", "POD_IP must be an IP address, not 'db-0.db'")]
    [InlineData("KUBERNETES_SERVICE_HOST", "kubernetes", "KUBERNETES_SERVICE_HOST must be an IP address, not 'kubernetes'")]
    [InlineData("FAILOVER_AGENT_PORT", "0", "FAILOVER_AGENT_PORT must be a whole number from 1 to 65535, not '0'")]
    [InlineData("FAILOVER_AGENT_PORT", "x", "FAILOVER_AGENT_PORT must be a whole number")]
    [InlineData("FAILOVER_STOP_TIMEOUT_SECONDS", "-1", "FAILOVER_STOP_TIMEOUT_SECONDS must be a whole number")]
    [InlineData("FAILOVER_TOKEN", "two words", "FAILOVER_TOKEN must consist of ASCII")]
    [InlineData("FAILOVER_TOKEN", "tökén", "FAILOVER_TOKEN must consist of ASCII")]
    [InlineData("FAILOVER_SERVICE_ACCOUNT", "/nowhere", "set automountServiceAccountToken")]
    public void What_is_wrong_is_told_by_its_name(string name, string value, string problem)
    {
        variables[name] = value;
        var (settings, told) = Read();
        Assert.Null(settings);
        Assert.Contains(problem, told);
        if (name == "FAILOVER_TOKEN") Assert.DoesNotContain(value, told);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once()
    {
        variables.Clear();
        var problem = Read().Problem;
        foreach (var name in new[] { "FAILOVER_GROUP", "FAILOVER_TOKEN", "POD_NAME", "POD_UID", "POD_NAMESPACE", "POD_IP", "KUBERNETES_SERVICE_HOST" })
            Assert.Contains($"{name} is not set", problem);
    }

    private (AgentSettings? Settings, string? Problem) Read() => AgentSettings.Read(name => variables.GetValueOrDefault(name));
}
