using System.Net;
using System.Net.Sockets;

namespace FailoverOperator.Agent.Servers.Redis;

/// <summary>Talks to the own server over one connection that is made when it is needed. One command at a time.</summary>
internal sealed class RedisClient(RedisSettings settings) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private RespConnection? _open;

    /// <summary>What talking to the server may fail with; anything else is a defect.</summary>
    public static bool IsExpected(Exception exception) => exception is RedisErrorException or SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    /// <summary>An open connection may have died unnoticed; every command here is idempotent, so it is tried once more over a new one.</summary>
    public async Task<object?> CallAsync(CancellationToken cancellationToken, params string[] command)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_open is { } open)
            {
                try
                {
                    return await open.CallAsync(cancellationToken, command);
                }
                catch (Exception broken) when (broken is SocketException or IOException)
                {
                    Close();
                }
            }
            _open = await RespConnection.OpenAsync(new IPEndPoint(settings.Host, settings.Port), settings.Password, cancellationToken);
            return await _open.CallAsync(cancellationToken, command);
        }
        catch (Exception failure) when (failure is not RedisErrorException)
        {
            Close();
            throw;
        }
        finally
        {
            _ = _gate.Release();
        }
    }

    public void Dispose() => Close();

    private void Close()
    {
        _open?.Dispose();
        _open = null;
    }
}
