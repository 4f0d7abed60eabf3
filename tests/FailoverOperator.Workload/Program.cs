using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using FailoverOperator.Workload;

// A writer runs until SIGTERM, until its stop file is there (written by the command `stop`, for those who reach the
// container by exec only), or for a number of seconds. Its last line of output is the summary.

var host = new Option<string>("--host") { Description = "Name or address to write to", Required = true };
var readHost = new Option<string?>("--read-host") { Description = "Name or address to read everything back from, if it is another one" };
var key = new Option<string>("--key") { Description = "Tells the rows of this writer from those of others", DefaultValueFactory = _ => "failover-workload" };
var interval = new Option<int>("--interval-ms") { Description = "Time from one write to the next", DefaultValueFactory = _ => 10 };
var connectDeadline = new Option<int>("--connect-deadline-ms") { Description = "Time for a connection", DefaultValueFactory = _ => 200 };
var answerDeadline = new Option<int>("--answer-deadline-ms") { Description = "Time for each answer", DefaultValueFactory = _ => 500 };
var duration = new Option<int?>("--duration-s") { Description = "End after this time" };
var stopFile = new Option<string>("--stop-file") { DefaultValueFactory = _ => "/tmp/stop" };

var stopCommand = new Command("stop", "Tell the writer in this container to end") { stopFile };
stopCommand.SetAction(parsed => File.WriteAllText(parsed.GetValue(stopFile)!, ""));

return new RootCommand("A client that measures what a failover costs")
{
    Writer("redis-writer", 6379, "REDIS_PASSWORD", options => new RedisTarget(options)),
    Writer("postgresql-writer", 5432, "PGPASSWORD", options => new PostgreSqlTarget(options)),
    stopCommand,
}.Parse(args).Invoke();

Command Writer(string name, int defaultPort, string passwordVariable, Func<TargetOptions, IWriteTarget> connect)
{
    var port = new Option<int>("--port") { DefaultValueFactory = _ => defaultPort };
    var command = new Command(name, "Write numbered rows, measure the gaps, read all rows back")
        { host, readHost, port, key, interval, connectDeadline, answerDeadline, duration, stopFile };
    command.SetAction(async (parsed, _) =>
    {
        var options = new TargetOptions(
            parsed.GetValue(host)!, parsed.GetValue(readHost) ?? parsed.GetValue(host)!, parsed.GetValue(port), parsed.GetValue(key)!,
            TimeSpan.FromMilliseconds(parsed.GetValue(connectDeadline)), TimeSpan.FromMilliseconds(parsed.GetValue(answerDeadline)),
            Environment.GetEnvironmentVariable(passwordVariable));
        using var target = connect(options);
        var writer = new RowWriter(target, TimeSpan.FromMilliseconds(parsed.GetValue(interval)), TimeProvider.System, Print);
        using var stop = new StopSignal(parsed.GetValue(duration), parsed.GetValue(stopFile)!);
        Print(new { summary = await writer.RunAsync(stop.Token) });
    });
    return command;
}

static void Print(object line)
{
    Console.Out.WriteLine(JsonSerializer.Serialize(line, JsonSerializerOptions.Web));
    Console.Out.Flush();
}

/// <summary>Ends with a signal, a file, or a time.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource source;
    private readonly IDisposable[] watches;

    public StopSignal(int? seconds, string file)
    {
        source = seconds is { } given ? new CancellationTokenSource(TimeSpan.FromSeconds(given)) : new CancellationTokenSource();
        watches =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel),
            new Timer(_ => { if (File.Exists(file)) source.Cancel(); }, null, TimeSpan.Zero, TimeSpan.FromMilliseconds(100)),
        ];
    }

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        foreach (var watch in watches) watch.Dispose();
        source.Dispose();
    }

    private void Cancel(PosixSignalContext signal)
    {
        signal.Cancel = true;
        source.Cancel();
    }
}
