using FailoverOperator.Agent.Servers.PostgreSql;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class ServerConfigurationTests
{
    private static readonly PostgreSqlSettings Settings = new()
    {
        PodName = "db-1",
        DataDirectory = "/data/pgdata",
        ReplicationPassword = "a'b\\c d",
        RunDirectory = "/run/agent",
        UserConfiguration = "/etc/user.conf",
    };

    private const long Gigabyte = 1024L * 1024 * 1024;

    [Fact]
    public void The_agents_own_settings_come_after_the_users_file_and_its_defaults_before()
    {
        var lines = ServerConfiguration.Settings(Settings, new Bearing("10.0.0.1", "ANY 1 (\"db-0\")"), 10 * Gigabyte).Split('\n').ToList();
        int At(string start) => lines.FindIndex(l => l.StartsWith(start, StringComparison.Ordinal));

        var inData = At("include_if_exists '/data/pgdata/postgresql.conf'");
        Assert.InRange(inData, At("max_slot_wal_keep_size = '1024MB'") + 1, At("include '/etc/user.conf'"));
        Assert.InRange(At("primary_conninfo = "), At("include '/etc/user.conf'") + 1, lines.Count);
        Assert.Contains("synchronous_standby_names = 'ANY 1 (\"db-0\")'", lines);
        Assert.Contains("primary_slot_name = 'failover_db_1'", lines);
    }

    [Fact]
    public void A_password_survives_the_two_languages_that_it_passes_through()
    {
        var lines = ServerConfiguration.Settings(Settings, new Bearing("10.0.0.1", ""), Gigabyte).Split('\n');
        var line = lines.Single(l => l.StartsWith("primary_conninfo", StringComparison.Ordinal));
        Assert.EndsWith(@" password=''a\\''b\\\\c d'''", line, StringComparison.Ordinal);
        Assert.Contains("application_name=''db-1''", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_leader_there_is_nothing_to_stream_from()
    {
        var text = ServerConfiguration.Settings(Settings, new Bearing(null, ""), Gigabyte);
        Assert.Contains("primary_conninfo = ''", text, StringComparison.Ordinal);
        Assert.Contains("primary_slot_name = ''", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.1, "64MB")]
    [InlineData(10, "1024MB")]
    [InlineData(10000, "20480MB")]
    public void A_lost_standby_holds_back_a_tenth_of_the_disk_at_most(double gigabytes, string expected)
    {
        var text = ServerConfiguration.Settings(Settings, new Bearing(null, ""), (long)(gigabytes * Gigabyte));
        Assert.Contains($"max_slot_wal_keep_size = '{expected}'", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_agents_lines_of_pg_hba_conf_come_first()
    {
        var lines = ServerConfiguration.Hba("host all all all reject").Split('\n').Where(l => !l.StartsWith('#')).ToArray();
        Assert.StartsWith("local all postgres peer", lines[0], StringComparison.Ordinal);
        var agents = Array.FindLastIndex(lines, l => l.Contains(ServerConfiguration.ReplicationRole, StringComparison.Ordinal));
        Assert.InRange(agents, 2, Array.IndexOf(lines, "host all all all reject") - 1);
    }

    [Fact]
    public void Nothing_but_a_promotion_makes_a_server_writable_whatever_its_version()
    {
        var old = ServerConfiguration.Arguments(Settings, ["/run/agent"], 15, new Dictionary<string, long> { ["max_connections"] = 100 });
        Assert.Contains("promote_trigger_file=", old);
        Assert.Contains("max_connections=100", old);
        Assert.DoesNotContain("promote_trigger_file=", ServerConfiguration.Arguments(Settings, ["/run/agent"], 16, new Dictionary<string, long>()));
        Assert.Contains("recovery_target_action=pause", old);
        Assert.Contains("restart_after_crash=off", old);
    }

    [Fact]
    public void The_synchronous_members_are_all_but_the_primary_itself()
    {
        Assert.Equal("ANY 1 (\"db-0\", \"db-2\")", Synchronous(1, "db-0", "db-1", "db-2"));
        Assert.Equal("ANY 2 (\"db-0\")", Synchronous(2, "db-0", "db-1"));
        Assert.Equal("", Synchronous(0, "db-0", "db-1"));
        Assert.Equal(MemberNames.WaitForNobodyYet, Synchronous(1, "db-1"));
    }

    [Fact]
    public void Long_names_stay_apart_where_PostgreSQL_would_cut_them()
    {
        var (one, other) = (new string('a', 70) + "-0", new string('a', 70) + "-1");
        Assert.Equal(63, MemberNames.Slot(one).Length);
        Assert.NotEqual(MemberNames.Slot(one), MemberNames.Slot(other));
        Assert.NotEqual(MemberNames.Application(one), MemberNames.Application(other));
        Assert.InRange(MemberNames.Application(one).Length, 1, 63);
        Assert.Equal("failover_db_1_x", MemberNames.Slot("Db-1.x"));
    }

    private static string Synchronous(int count, params string[] members)
    {
        var all = members.Select(m => new LeaseMember(m, "u", "a", 1));
        return MemberNames.Synchronous(new LeaseTerms { SynchronousStandbys = count, Members = [.. all] }, "db-1");
    }
}
