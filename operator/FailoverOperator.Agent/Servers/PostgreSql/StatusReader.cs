using FailoverOperator.Core.Observations;
using Npgsql;
using Npgsql.Replication;

namespace FailoverOperator.Agent.Servers.PostgreSql;

/// <summary>How a question to the own server ended. Closed: nested types only.</summary>
internal abstract record StatusAnswer
{
    private StatusAnswer()
    {
    }

    public sealed record Told(StatusRow Row, StatusMemory Memory) : StatusAnswer;

    public sealed record Untold(EngineReply Reply) : StatusAnswer;
}

/// <summary>Asks the own server over two connections that are kept, and made anew when they break.</summary>
internal sealed class StatusReader(PostgreSqlSettings settings, Sql sql, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The server is still starting, or already ending.</summary>
    private const string CannotConnectNow = "57P03";

    private readonly SemaphoreSlim _one = new(1);
    private readonly long _start = time.GetTimestamp();
    private Session? _session;
    private PhysicalReplicationConnection? _replication;
    private Task _last = Task.CompletedTask;
    private StatusMemory _memory = new();

    public TimeSpan Now => time.GetElapsedTime(_start);

    public async Task<StatusAnswer> AskAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await WithinTimeAsync(cancellationToken);
        }
        finally
        {
            _ = _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        _one.Dispose();
    }

    private async Task<StatusAnswer> WithinTimeAsync(CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(settings.QuestionTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        // A kept connection may be of a server that has ended since; a new one tells.
        var wasKept = _session is not null;
        try
        {
            return await TellAsync(either.Token);
        }
        catch (Exception exception) when (Sql.IsExpected(exception))
        {
            await DropAsync();
            if (!wasKept || either.IsCancellationRequested) return Failed(exception, cancellationToken);
        }
        try
        {
            return await TellAsync(either.Token);
        }
        catch (Exception exception) when (Sql.IsExpected(exception))
        {
            await DropAsync();
            return Failed(exception, cancellationToken);
        }
    }

    private async Task<StatusAnswer> TellAsync(CancellationToken cancellationToken)
    {
        _session ??= await sql.OpenAsync(cancellationToken);
        _replication ??= await sql.OpenReplicationAsync(cancellationToken);
        var question = StatusRow.ReadAsync(_session, _replication);
        _last = question;
        var row = await question.WaitAsync(cancellationToken);
        _memory = _memory.Learn(row, Now);
        return new StatusAnswer.Told(row, _memory);
    }

    private static StatusAnswer.Untold Failed(Exception exception, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new StatusAnswer.Untold(exception switch
        {
            PostgresException { SqlState: CannotConnectNow } notYet =>
                new EngineReply.Failed($"the server is not ready: {Quoting.Words(notYet.MessageText)}"),
            PostgresException { SqlState: ['2', '8', ..] } =>
                new EngineReply.Unauthorized($"the server does not let the agent in: {Sql.Describe(exception)}"),
            PostgresException => new EngineReply.Failed($"the server refuses to answer: {Sql.Describe(exception)}"),
            _ => new EngineReply.Silent($"the server runs but does not answer: {Sql.Describe(exception)}"),
        });
    }

    private ValueTask DropAsync()
    {
        var drop = Session.EndAsync(_last, _session, _replication);
        _session = null;
        _replication = null;
        _last = Task.CompletedTask;
        return drop;
    }
}
