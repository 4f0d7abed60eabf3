using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using FailoverOperator.Workload;

// redis-writer runs until SIGTERM, until its stop file is there (written by the command `stop`, for those who reach the
// container by exec only), or for a number of seconds. Its last line of output is the summary.

var host = new Option<string>("--host") { Description = "Name or address of the Service", Required = true };
var port = new Option<int>("--port") { DefaultValueFactory = _ => 6379 };
var key = new Option<string>("--key") { Description = "List to append to", DefaultValueFactory = _ => "failover-workload" };
var interval = new Option<int>("--interval-ms") { Description = "Time from one write to the next", DefaultValueFactory = _ => 10 };
var deadline = new Option<int>("--answer-deadline-ms") { Description = "Time for a connection and for each answer", DefaultValueFactory = _ => 200 };
var duration = new Option<int?>("--duration-s") { Description = "End after this time" };
var stopFile = new Option<string>("--stop-file") { DefaultValueFactory = _ => "/tmp/stop" };

var writer = new Command("redis-writer", "Append numbered entries, measure the gaps, read all entries back") { host, port, key, interval, deadline, duration, stopFile };
writer.SetAction(parsed =>
{
    using var stop = parsed.GetValue(duration) is { } seconds ? new CancellationTokenSource(TimeSpan.FromSeconds(seconds)) : new CancellationTokenSource();
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => { signal.Cancel = true; stop.Cancel(); });
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => { signal.Cancel = true; stop.Cancel(); });
    var file = parsed.GetValue(stopFile)!;
    using var watch = new Timer(_ => { if (File.Exists(file)) stop.Cancel(); }, null, TimeSpan.Zero, TimeSpan.FromMilliseconds(100));

    var options = new WriterOptions(
        parsed.GetValue(host)!, parsed.GetValue(port), parsed.GetValue(key)!, TimeSpan.FromMilliseconds(parsed.GetValue(interval)),
        TimeSpan.FromMilliseconds(parsed.GetValue(deadline)), Environment.GetEnvironmentVariable("REDIS_PASSWORD"));
    Print(new { summary = new RedisWriter(options, TimeProvider.System, Print).Run(stop.Token) });
    return 0;
});

var stopCommand = new Command("stop", "Tell the writer in this container to end") { stopFile };
stopCommand.SetAction(parsed => File.WriteAllText(parsed.GetValue(stopFile)!, ""));

return new RootCommand("A client that measures what a failover costs") { writer, stopCommand }.Parse(args).Invoke();

static void Print(object line)
{
    Console.Out.WriteLine(JsonSerializer.Serialize(line, JsonSerializerOptions.Web));
    Console.Out.Flush();
}
