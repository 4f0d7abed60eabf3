using FailoverOperator.Agent.Servers.PostgreSql;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly DirectoryInfo volume = Directory.CreateTempSubdirectory("pg-volume-");
    private readonly DataDirectory data;

    public DataDirectoryTests() => data = new DataDirectory(Path.Combine(volume.FullName, "pgdata"));

    public void Dispose() => volume.Delete(recursive: true);

    [Fact]
    public void What_is_there_is_told_by_its_files()
    {
        Assert.Equal(DataState.Absent, data.State);
        _ = Directory.CreateDirectory(Path.Combine(data.Path, "lost+found"));
        Assert.Equal(DataState.Absent, data.State);
        File.WriteAllText(Path.Combine(data.Path, "notes.txt"), "");
        Assert.Equal(DataState.Foreign, data.State);
        Make(data.Path, "old");
        Assert.Equal(DataState.Present, data.State);
        Assert.Equal(15, data.Version);
    }

    [Fact]
    public void Data_that_are_being_rewound_are_no_data()
    {
        Make(data.Path, "old");
        File.WriteAllText(Path.Combine(data.Path, "standby.signal"), "");
        data.BeginRewinding();
        Assert.Equal(DataState.Unfinished, data.State);
        Assert.False(File.Exists(Path.Combine(data.Rewinding, "standby.signal")));
        data.EndRewinding();
        Assert.Equal("old", Whose());
    }

    /// <summary>The server would refuse to start, with a newest timeline of which nothing is known.</summary>
    [Fact]
    public void Timelines_that_are_only_left_out_are_forgotten_at_the_next_start_unless_a_later_one_has_begun()
    {
        Make(data.Path, "old");
        var log = Directory.CreateDirectory(Path.Combine(data.Path, "pg_wal")).FullName;
        const string Real = "1\t0/3000148\tno recovery target\n";
        File.WriteAllText(Path.Combine(log, "00000002.history"), Real);
        data.ReserveTimelines([2, 3, 4]);
        Assert.Equal(Real, File.ReadAllText(Path.Combine(log, "00000002.history")));
        data.MakeStandby();
        Assert.Equal(["00000002.history"], Directory.GetFiles(log).Select(Path.GetFileName));

        data.ReserveTimelines([3, 4]);
        File.WriteAllText(Path.Combine(log, "00000005.history"), Real);
        data.MakeStandby();
        Assert.Equal(4, Directory.GetFiles(log).Length);
        Assert.Equal(1u, data.History(5)!.Parent);
    }

    [Theory]
    [InlineData(0, "old")] // The copy is not complete.
    [InlineData(1, "new")] // .ready, and nothing else has happened yet.
    [InlineData(2, "new")] // The old data are out of the way.
    [InlineData(3, "new")]
    public void An_exchange_that_was_interrupted_after_any_step_is_completed(int steps, string expected)
    {
        Make(data.Path, "old");
        Make(data.New, "new");
        if (steps > 0) Directory.Move(data.New, data.Path + ".ready");
        if (steps > 1) Directory.Move(data.Path, data.Old);
        if (steps > 2) Directory.Move(data.Path + ".ready", data.Path);

        data.Settle();

        Assert.Equal(DataState.Present, data.State);
        Assert.Equal(expected, Whose());
    }

    [Fact]
    public void A_copy_takes_the_place_of_data_that_could_not_be_rewound()
    {
        Make(data.Path, "old");
        data.BeginRewinding();
        Make(data.New, "new");
        _ = Directory.CreateDirectory(data.Path);
        data.Adopt();
        Assert.Equal("new", Whose());
        Assert.False(Directory.Exists(data.Rewinding));
        Assert.True(Directory.Exists(data.Old));
    }

    [Fact]
    public void Every_start_is_that_of_a_standby()
    {
        Make(data.Path, "old");
        File.WriteAllText(Path.Combine(data.Path, "recovery.signal"), "");
        data.MakeStandby();
        data.MakeStandby();
        Assert.True(File.Exists(Path.Combine(data.Path, "standby.signal")));
        Assert.False(File.Exists(Path.Combine(data.Path, "recovery.signal")));
    }

    /// <summary>As the kubelet leaves them when it mounts the volume for another pod with <c>fsGroup</c>: drwxrws---.</summary>
    [Theory]
    [InlineData("2770", "700")]
    [InlineData("755", "700")]
    [InlineData("750", "750")]
    [InlineData("700", "700")]
    public void Data_that_the_server_would_refuse_are_closed_to_others(string before, string after)
    {
        Make(data.Path, "old");
        File.SetUnixFileMode(data.Path, (UnixFileMode)Convert.ToInt32(before, 8));
        data.MakeStandby();
        Assert.Equal(after, Convert.ToString((int)File.GetUnixFileMode(data.Path), 8));
    }

    [Fact]
    public void The_root_of_a_volume_is_refused()
    {
        Assert.Null(data.Problem);
        Assert.Contains("must not be the root of a volume", new DataDirectory("/proc").Problem, StringComparison.Ordinal);
    }

    private static void Make(string folder, string whose)
    {
        _ = Directory.CreateDirectory(Path.Combine(folder, "global"));
        File.WriteAllText(Path.Combine(folder, "global", "pg_control"), "");
        File.WriteAllText(Path.Combine(folder, "PG_VERSION"), "15\n");
        File.WriteAllText(Path.Combine(folder, "whose"), whose);
    }

    private string Whose() => File.ReadAllText(Path.Combine(data.Path, "whose"));
}
