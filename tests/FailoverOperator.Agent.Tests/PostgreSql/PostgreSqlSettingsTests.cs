using FailoverOperator.Agent.Servers.PostgreSql;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class PostgreSqlSettingsTests
{
    private readonly Dictionary<string, string> variables = new() { ["PGDATA"] = "/data/pgdata/", ["FAILOVER_REPLICATION_PASSWORD"] = "secret" };

    [Fact]
    public void Little_has_to_be_said()
    {
        var (settings, problem) = Read();
        Assert.Null(problem);
        Assert.Equal(("/data/pgdata", 5432, "/tmp/failover-agent"), (settings!.DataDirectory, settings.Port, settings.RunDirectory));
        Assert.Null(settings.SuperuserPassword);
    }

    [Fact]
    public void All_that_is_wrong_is_said_at_once_and_no_password()
    {
        variables.Clear();
        variables["FAILOVER_PG_PORT"] = "many";
        variables["POSTGRES_PASSWORD"] = "hush\nhush";
        variables["FAILOVER_PG_HBA"] = "relative";
        var (settings, problem) = Read(isRoot: true);
        Assert.Null(settings);
        string[] words =
        [
            "PGDATA is not set", "FAILOVER_REPLICATION_PASSWORD is not set", "FAILOVER_PG_PORT must be a port number, not 'many'",
            "POSTGRES_PASSWORD must not", "FAILOVER_PG_HBA must be", "runAsUser",
        ];
        foreach (var word in words)
            Assert.Contains(word, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_newest_of_several_versions_is_used()
    {
        var root = Directory.CreateTempSubdirectory("pg-bin-");
        foreach (var version in (string[])["9.6", "15", "17", "18"])
        {
            var folder = root.CreateSubdirectory(version).CreateSubdirectory("bin");
            if (version != "18") File.WriteAllText(Path.Combine(folder.FullName, "postgres"), "");
        }
        Assert.Equal(Path.Combine(root.FullName, "17", "bin"), PostgreSqlSettings.NewestBinaries(root.FullName));
        root.Delete(recursive: true);
        Assert.Equal("", PostgreSqlSettings.NewestBinaries(root.FullName));
    }

    [Fact]
    public void The_user_is_found_in_passwd_by_its_number()
    {
        string[] passwd = ["root:x:0:0:root:/root:/bin/bash", "", "postgres:x:999:999::/var/lib/postgresql:/bin/bash"];
        Assert.Equal("postgres", SystemUser.Name(passwd, 999));
        Assert.Null(SystemUser.Name(passwd, 4711));
        Assert.NotNull(SystemUser.Name());
    }

    private (PostgreSqlSettings? Settings, string? Problem) Read(bool isRoot = false) =>
        PostgreSqlSettings.Read(name => variables.GetValueOrDefault(name), "db-0", isRoot);
}
