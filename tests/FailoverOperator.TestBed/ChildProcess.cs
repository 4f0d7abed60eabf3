using System.Diagnostics;
using System.Text;

namespace FailoverOperator.TestBed;

/// <summary>
/// A server that runs as long as this process does, even if this process is killed: a shell ends it when its own
/// input ends.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const string Script = """
        "$@" & child=$!
        read -r _
        kill -KILL "$child"
        """;

    private readonly Process shell;
    private readonly StringBuilder output = new();

    public ChildProcess(string program, params string[] arguments)
    {
        shell = new CommandLine("bash").Start(["-c", Script, "child", program, .. arguments]);
        shell.OutputDataReceived += Keep;
        shell.ErrorDataReceived += Keep;
        shell.BeginOutputReadLine();
        shell.BeginErrorReadLine();
    }

    /// <summary>What it has said so far.</summary>
    public string Output
    {
        get { lock (output) return output.ToString(); }
    }

    public async ValueTask DisposeAsync()
    {
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (output) output.AppendLine(line.Data);
    }
}
