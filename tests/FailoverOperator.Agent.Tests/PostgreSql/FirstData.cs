using System.Diagnostics;
using FailoverOperator.Agent.Tests.PostgreSql;

[assembly: AssemblyFixture(typeof(FirstData))]

namespace FailoverOperator.Agent.Tests.PostgreSql;

/// <summary>Data of a primary that was shut down in order, made once: groups begin with copies of them, which is faster than cloning.</summary>
public sealed class FirstData : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly DirectoryInfo _folder = PostgreSqlMember.NewFolder();

    private string Data => Path.Combine(_folder.FullName, "pgdata");

    /// <summary>Gives a member a copy of the data.</summary>
    internal async Task GiveToAsync(PostgreSqlMember member)
    {
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (!Directory.Exists(Data)) await CreateAsync();
        }
        finally
        {
            _ = _one.Release();
        }
        Copy(Data, member.Data);
        PostgreSqlMember.Chown(member.Data);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task CreateAsync()
    {
        await using var member = new PostgreSqlMember("first", null, "--wal-segsize=1", "--no-sync"); // Little to copy.
        _ = await member.ServeAsync(PostgreSqlMember.Terms(0, member));
        _ = await member.SqlAsync("create table rows (n int primary key)");
        _ = Assert.NotNull(await member.Server.ShutDownAsync(TestContext.Current.CancellationToken));
        Copy(member.Data, Data);
    }

    private static void Copy(string from, string to)
    {
        using var copy = Process.Start("cp", ["-a", from, to]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }
}
