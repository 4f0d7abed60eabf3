using System.Diagnostics;
using FailoverOperator.Tests.Engines.Redis;
using Npgsql;

namespace FailoverOperator.Tests.Engines.PostgreSql;

/// <summary>A real PostgreSQL server on a loopback port of its own, with password login, ended by its process id.</summary>
public sealed class PostgreSqlServer : IAsyncLifetime
{
    public const string Password = "p4ss 'word'";

    private const string Binaries = "/usr/lib/postgresql/15/bin";
    private const int SigInt = 2;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("postgresql-");
    private Process? _process;

    public int Port { get; } = RedisServer.FreePort();

    public async ValueTask InitializeAsync()
    {
        var data = Path.Combine(_directory.FullName, "data");
        var passwordFile = Path.Combine(_directory.FullName, "password");
        await File.WriteAllTextAsync(passwordFile, Password);
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "-R", "postgres", _directory.FullName);
        await RunAsync([.. AsItself("initdb"), "-D", data, "-U", "postgres", "--auth-host=scram-sha-256", $"--pwfile={passwordFile}", "--no-sync", "-E", "UTF8", "--locale=C"]);
        _process = Start([.. AsItself("postgres"), "-D", data, "-h", "127.0.0.1", "-p", $"{Port}", "-k", _directory.FullName, "-c", "fsync=off"]);
        await UntilReadyAsync(_process.StandardError);
    }

    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using var connection = Connection(database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> ReadAsync(string sql)
    {
        await using var connection = Connection("postgres");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            // runuser hands the signal on, and ends when the server has.
            await RunAsync("kill", $"-{SigInt}", $"{File.ReadLines(Path.Combine(_directory.FullName, "data", "postmaster.pid")).First()}");
            await _process.WaitForExitAsync();
        }
        _process?.Dispose();
        _directory.Delete(recursive: true);
    }

    private NpgsqlConnection Connection(string database) => new(new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Password = Password,
        Database = database,
        Pooling = false,
    }.ConnectionString);

    /// <summary>The server refuses to run as root.</summary>
    private static string[] AsItself(string program) => Environment.IsPrivilegedProcess
        ? ["runuser", "-u", "postgres", "--", $"{Binaries}/{program}"]
        : [$"{Binaries}/{program}"];

    private static async Task RunAsync(params string[] command)
    {
        using var process = Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)}: {await output}{error}");
    }

    private static Process Start(params string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = "/",
    })!;

    private static async Task UntilReadyAsync(StreamReader log)
    {
        while (await log.ReadLineAsync() is { } line)
        {
            if (!line.Contains("database system is ready to accept connections", StringComparison.Ordinal)) continue;
            _ = log.ReadToEndAsync();
            return;
        }
        throw new InvalidOperationException("postgres ended before it was ready");
    }
}
