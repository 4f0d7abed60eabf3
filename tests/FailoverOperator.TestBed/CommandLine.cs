using System.Diagnostics;

namespace FailoverOperator.TestBed;

/// <summary>How a program ended.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>Runs programs, with a deadline.</summary>
public sealed class CommandLine(string program, IReadOnlyDictionary<string, string>? environment = null)
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(2);

    /// <exception cref="CommandFailedException">It failed, or did not end in time.</exception>
    public async Task<string> RunAsync(IEnumerable<string> arguments, string? input = null, TimeSpan? deadline = null)
    {
        var list = arguments.ToList();
        var result = await TryAsync(list, input, deadline);
        return result.Succeeded ? result.Output
            : throw new CommandFailedException($"{program} {string.Join(' ', list)}: exit code {result.ExitCode}\n{result.Output}{result.Error}");
    }

    /// <summary>Starts it and leaves the rest to the caller.</summary>
    public Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start) ?? throw new CommandFailedException($"{program} did not start");
    }

    public async Task<CommandResult> TryAsync(IEnumerable<string> arguments, string? input = null, TimeSpan? deadline = null)
    {
        using var process = Start(arguments);
        using var cancellation = new CancellationTokenSource(deadline ?? DefaultDeadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation.Token);
            var error = process.StandardError.ReadToEndAsync(cancellation.Token);
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), cancellation.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellation.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new CommandFailedException($"{program} {string.Join(' ', process.StartInfo.ArgumentList)} did not end within {deadline ?? DefaultDeadline}");
        }
    }
}

/// <summary>A program failed; the message has its output.</summary>
public sealed class CommandFailedException(string message) : Exception(message);
