using System.Diagnostics;
using FailoverOperator.Core.Observations;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class FaultTests(FirstData first)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_corrupt_postgresql_auto_conf_is_named_and_left_as_it_is()
    {
        await using var a = new PostgreSqlMember("db-0");
        await first.GiveToAsync(a);
        var file = Path.Combine(a.Data, "postgresql.auto.conf");
        await File.WriteAllTextAsync(file, "work_mem = '4MB'\n= = nonsense\n", Stop);

        var refused = Assert.IsType<EngineOutcome.NotDone>(await a.Server.ServeAsync(1, PostgreSqlMember.Terms(0, a), null, () => { }, Stop));
        Assert.StartsWith("postgresql.auto.conf in PGDATA is corrupt", refused.Message, StringComparison.Ordinal);
        Assert.Contains("line 2", refused.Message, StringComparison.Ordinal);
        var status = Assert.IsType<EngineReply.Refused>(await a.Server.StatusAsync(Stop));
        Assert.StartsWith($"{refused.Message}; its data: shut down", status.Message, StringComparison.Ordinal);

        Assert.Contains("nonsense", await File.ReadAllTextAsync(file, Stop), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "", Stop);
        _ = await a.ServeAsync(PostgreSqlMember.Terms(0, a));
    }

    [Fact]
    public async Task A_configuration_that_is_broken_while_the_server_runs_is_named()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0);
        var (a, b) = (group.Members[0], group.Members[1]);
        await File.WriteAllTextAsync(Path.Combine(b.Data, "postgresql.auto.conf"), "= = nonsense\n", Stop);

        var refused = Assert.IsType<EngineOutcome.NotDone>(await b.Server.ServeAsync(2, PostgreSqlMember.Terms(1, a, b), null, () => { }, Stop));

        Assert.Contains("postgresql.auto.conf line 1: syntax error", refused.Message, StringComparison.Ordinal);
        Assert.False((await b.StatusAsync()).Writable);
    }

    [Fact]
    public async Task A_full_disk_is_named_the_group_goes_on_and_the_member_comes_back_when_there_is_room()
    {
        using var disk = new SmallDisk(megabytes: 160);
        var primary = new PostgreSqlMember("db-0", disk.Folder);
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 2, synchronous: 0, primary: primary);
        var (a, b) = (group.Members[0], group.Members[1]);
        disk.Fill(leaveMegabytes: 4);
        Assert.Contains("disk is nearly full", (await a.StatusAsync()).Message, StringComparison.Ordinal);
        _ = await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(async () =>
        {
            for (var i = 0; i < 100; i++) _ = await a.SqlAsync($"insert into rows select generate_series({i} * 20000, {i} * 20000 + 19999)");
        });

        var ended = await a.Supervisor.Server!.Exited.WaitAsync(TimeSpan.FromSeconds(10), RealClock.Instance, Stop);
        Assert.NotEqual(0, ended);
        Assert.StartsWith("the disk is full", Assert.IsType<EngineReply.Refused>(await a.Server.StatusAsync(Stop)).Message, StringComparison.Ordinal);
        await group.ServeAsync(b);
        disk.Fill(leaveMegabytes: 0);
        var refused = Assert.IsType<EngineOutcome.NotDone>(await a.Server.FollowAsync(b.AsLeader, Stop));
        Assert.Contains("disk is full", refused.Message, StringComparison.Ordinal);

        disk.Free();
        _ = await a.FollowAsync(b);
    }

    [Fact]
    public async Task The_crash_of_one_session_ends_the_server()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        var a = group.Members[0];
        await using var connection = await a.ConnectAsync();

        _ = LocalSupervisor.Signal(connection.ProcessID, 9);

        _ = await a.Supervisor.Server!.Exited.WaitAsync(TimeSpan.FromSeconds(10), RealClock.Instance, Stop);
        var status = Assert.IsType<EngineReply.Refused>(await a.Server.StatusAsync(Stop));
        Assert.Contains("ended with exit code", status.Message, StringComparison.Ordinal);
        Assert.False((await a.StandByAsync()).Writable);
    }

    [Fact]
    public async Task A_stopped_server_is_silent_within_its_time_and_answers_when_it_goes_on()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        var a = group.Members[0];
        var before = await a.StatusAsync();
        a.Supervisor.SignalAll(19);

        var since = RealClock.Instance.GetTimestamp();
        Assert.IsType<EngineReply.Silent>(await a.Server.StatusAsync(Stop));
        Assert.InRange(RealClock.Instance.GetElapsedTime(since), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(3));

        a.Supervisor.SignalAll(18);
        Assert.Equal(before.Instance, (await a.UntilAsync(_ => Task.FromResult<EngineOutcome>(new EngineOutcome.Done()), s => s.Writable)).Instance);
    }

    [Fact]
    public async Task Nothing_in_the_data_or_in_the_configuration_makes_a_restarted_server_writable()
    {
        await using var a = new PostgreSqlMember("db-0");
        await first.GiveToAsync(a);
        var trigger = Path.Combine(a.Data, "trigger");
        await File.AppendAllTextAsync(a.UserConfiguration, $"""
            recovery_target = 'immediate'
            recovery_target_action = 'promote'
            promote_trigger_file = '{trigger}'
            hot_standby = off

            """, Stop);
        foreach (var file in (string[])["trigger", "recovery.signal", "promote"]) await File.WriteAllTextAsync(Path.Combine(a.Data, file), "", Stop);

        _ = await a.StandByAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(500), RealClock.Instance, Stop);

        Assert.False((await a.StatusAsync()).Writable);
        Assert.False(File.Exists(Path.Combine(a.Data, "recovery.signal")));
    }

    [Fact]
    public async Task Data_of_another_database_system_are_kept()
    {
        await using var group = await PostgreSqlGroup.StartAsync(first, members: 1, synchronous: 0);
        await using var other = new PostgreSqlMember("db-1");
        _ = await other.ServeAsync(PostgreSqlMember.Terms(0, other));
        _ = await other.SqlAsync("create table precious (n int)");

        var refused = Assert.IsType<EngineOutcome.NotDone>(await other.Server.FollowAsync(group.Members[0].AsLeader, Stop));

        Assert.Contains("another database system", refused.Message, StringComparison.Ordinal);
        Assert.Equal("0", await other.SqlAsync("select count(*) from precious"));
        Assert.False((await other.StatusAsync()).Writable);
    }

    /// <summary>A file system of its own, in memory.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pg-disk-");

        public SmallDisk(int megabytes)
        {
            Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", _folder.FullName);
            PostgreSqlMember.Chown(_folder.FullName);
        }

        public string Folder => _folder.FullName;

        public void Fill(int leaveMegabytes)
        {
            var size = new DriveInfo(Folder).AvailableFreeSpace - (leaveMegabytes * 1024L * 1024);
            if (size > 0) Run("fallocate", "-l", $"{size}", Path.Combine(Folder, $"filler-{leaveMegabytes}"));
        }

        public void Free()
        {
            foreach (var filler in Directory.GetFiles(Folder, "filler-*")) File.Delete(filler);
        }

        public void Dispose()
        {
            Run("umount", "-l", _folder.FullName);
            _folder.Delete();
        }

        private static void Run(string program, params string[] arguments)
        {
            using var process = Process.Start(program, arguments);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
