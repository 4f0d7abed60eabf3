using System.Globalization;
using FailoverOperator.Agent.Supervision;
using FailoverOperator.TestBed;
using static FailoverOperator.Agent.Tests.Supervision.Processes;
using CommandResult = FailoverOperator.Agent.Supervision.CommandResult;

namespace FailoverOperator.Agent.Tests.Supervision;

[Collection(Name)]
public sealed class SupervisorTests(Processes processes) : IAsyncDisposable
{
    private const int Killed = 128 + 9;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly ISupervisor supervisor = processes.Supervisor;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("supervisor-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await supervisor.KillAllAsync(Soon, CancellationToken.None);
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("kill -KILL $$", Killed)]
    [InlineData("kill -PIPE $$", 128 + 13)]
    public async Task The_end_of_the_server_is_told_with_its_exit_code(string script, int code)
    {
        var run = Server(script);
        Assert.Equal(code, await run.Exited.WaitAsync(Soon, Stop));
        Assert.Same(run, supervisor.Server);
        Assert.False(run.Signal(15));
    }

    [Fact]
    public async Task The_death_of_the_server_is_seen_within_milliseconds()
    {
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var run = Server("exec sleep 60");
            var began = RealClock.Instance.GetTimestamp();
            Assert.True(run.Signal(9));
            Assert.Equal(Killed, await run.Exited.WaitAsync(Soon, Stop));
            var took = RealClock.Instance.GetElapsedTime(began);
            best = took < best ? took : best;
        }
        TestContext.Current.SendDiagnosticMessage($"seen after {best.TotalMilliseconds:0.0} ms");
        Assert.InRange(best, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public async Task Many_programs_that_end_at_once_all_tell_their_exit_code()
    {
        var all = Enumerable.Range(0, 200).Select(i => supervisor.RunAsync(Shell($"exit {i % 100}"), Soon * 10, Stop)).ToList();
        var results = await Task.WhenAll(all);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 100), results.Select(r => Assert.IsType<CommandResult.Exited>(r).ExitCode));
    }

    [Fact]
    public async Task An_orphan_is_reaped()
    {
        var pidFile = PathOf("orphan");
        Server($"(sleep 0.2 & echo $! > {pidFile}); exec sleep 60");
        var orphan = await PidAsync(pidFile);
        await Poll.UntilAsync("the orphan to be reaped", Soon, () => Task.FromResult(!Directory.Exists($"/proc/{orphan}")));
    }

    [Fact]
    public async Task Nothing_outlives_killing_all_not_even_what_left_session_and_parent()
    {
        // As PostgreSQL's processes do, and worse: a session of its own, no parent, deaf to all that can be ignored.
        var pidFile = PathOf("detached");
        var run = Server($"trap '' TERM INT HUP; (setsid bash -c 'trap \"\" TERM INT HUP; echo $$ > {pidFile}; while :; do sleep 0.01; done' &); while :; do sleep 1; done");
        var detached = await PidAsync(pidFile);

        Assert.True(await supervisor.KillAllAsync(Soon, Stop));

        Assert.False(Directory.Exists($"/proc/{run.ProcessId}"));
        Assert.False(Directory.Exists($"/proc/{detached}"));
        Assert.Equal(Killed, await run.Exited.WaitAsync(Soon, Stop));
    }

    [Fact]
    public async Task Killing_all_ends_helpers_too_and_new_programs_can_be_started_afterwards()
    {
        var helper = supervisor.RunAsync(Shell("sleep 60"), TimeSpan.FromSeconds(60), Stop);
        Assert.True(await supervisor.KillAllAsync(Soon, Stop));
        Assert.Equal(Killed, Assert.IsType<CommandResult.Exited>(await helper.WaitAsync(Soon, Stop)).ExitCode);
        Assert.Equal(0, Assert.IsType<CommandResult.Exited>(await supervisor.RunAsync(Shell("exit 0"), Soon, Stop)).ExitCode);
    }

    [Fact]
    public async Task A_helper_tells_what_it_printed()
    {
        var result = await supervisor.RunAsync(Shell("echo out; echo err >&2; exit 4"), Soon, Stop);
        Assert.Equal(new CommandResult.Exited(4, "out\nerr"), result);
    }

    [Fact]
    public async Task Only_the_end_of_a_long_output_is_kept_in_whole_lines()
    {
        var result = Assert.IsType<CommandResult.Exited>(await supervisor.RunAsync(Shell("seq 1 100000"), Soon, Stop));
        Assert.EndsWith("\n99999\n100000", result.Output);
        Assert.InRange(result.Output.Length, 4000, 8192);
        Assert.Matches("^9[0-9]{4}\n", result.Output);
    }

    [Fact]
    public async Task A_helper_that_leaves_a_process_behind_ends_when_it_does_itself()
    {
        var result = await supervisor.RunAsync(Shell("echo done; sleep 60 & exit 0"), TimeSpan.FromSeconds(30), Stop).WaitAsync(Soon, Stop);
        Assert.Equal(new CommandResult.Exited(0, "done"), result);
    }

    [Fact]
    public async Task A_helper_that_takes_too_long_is_killed_with_all_that_it_started_and_the_server_lives_on()
    {
        var (child, detached) = (PathOf("child"), PathOf("detached"));
        var server = Server("exec sleep 60");
        var result = await supervisor.RunAsync(
            Shell($"echo begun; sleep 61 & echo $! > {child}; (setsid sleep 62 & echo $! > {detached}); wait; sleep 63"),
            TimeSpan.FromMilliseconds(500), Stop);

        Assert.Equal(new CommandResult.TimedOut("begun"), result);
        Assert.False(Runs(await PidAsync(child)));
        Assert.False(Runs(await PidAsync(detached)));
        Assert.True(Runs(server.ProcessId));
    }

    [Fact]
    public async Task A_cancelled_helper_is_killed()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var pidFile = PathOf("pid");
        var helper = supervisor.RunAsync(Shell($"echo $$ > {pidFile}; exec sleep 60"), TimeSpan.FromSeconds(60), cancel.Token);
        var pid = await PidAsync(pidFile);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => helper.WaitAsync(Soon, Stop));
        Assert.False(Runs(pid));
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_told_by_name()
    {
        var result = await supervisor.RunAsync(new ProcessCommand("no-such-program", []), Soon, Stop);
        Assert.Equal(new CommandResult.NotStarted("cannot start no-such-program: No such file or directory"), result);
        Assert.Equal((null, "cannot start no-such-program: No such file or directory"), supervisor.StartServer(new ProcessCommand("no-such-program", [])));
    }

    [Fact]
    public async Task A_program_gets_its_environment_and_folder_and_nothing_to_read()
    {
        var command = Shell("pwd; echo \"$GREETING\"; echo \"[$HOME]\"; cat") with
        {
            WorkingDirectory = folder.FullName,
            Environment = new Dictionary<string, string?> { ["GREETING"] = "good morning = ü", ["HOME"] = null },
        };
        Assert.Equal(new CommandResult.Exited(0, $"{folder.FullName}\ngood morning = ü\n[]"), await supervisor.RunAsync(command, Soon, Stop));
    }

    [Fact]
    public async Task What_the_server_printed_last_explains_its_end()
    {
        var run = Server("echo starting; echo 'FATAL: no space left on device' >&2; exit 1");
        await run.Exited.WaitAsync(Soon, Stop);
        await Poll.UntilAsync("the output", Soon, () => Task.FromResult(run.LastOutput.Contains("starting") && run.LastOutput.Contains("FATAL: no space left on device")));
    }

    private IServerRun Server(string script)
    {
        var (run, problem) = supervisor.StartServer(Shell(script));
        Assert.Null(problem);
        return run!;
    }

    private string PathOf(string name) => Path.Combine(folder.FullName, name);

    private static bool Runs(int pid) => Directory.Exists($"/proc/{pid}");

    private static async Task<int> PidAsync(string file)
    {
        await Poll.UntilAsync($"{file} to be written", Soon, () => Task.FromResult(File.Exists(file) && File.ReadAllText(file).EndsWith('\n')));
        return int.Parse(await File.ReadAllTextAsync(file, Stop), CultureInfo.InvariantCulture);
    }
}
