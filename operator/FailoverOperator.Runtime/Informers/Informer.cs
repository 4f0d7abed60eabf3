using System.Diagnostics.CodeAnalysis;
using FailoverOperator.Runtime.Kubernetes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace FailoverOperator.Runtime.Informers;

/// <summary>What an informer follows, and its bounds.</summary>
public sealed record InformerOptions
{
    /// <summary>Null: all namespaces.</summary>
    public string? Namespace { get; init; }

    public ListOptions Selection { get; init; } = ListOptions.All;

    /// <summary>After this time the server ends the watch, and a new one is begun from where it was.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>
    /// A watch that has been silent for longer is given up for dead, and everything is listed anew. API servers send a
    /// bookmark about every minute.
    /// </summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(150);

    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The objects can be done without where the right to read them is missing; else everything waits for it.</summary>
    public bool MayBeForbidden { get; init; }

    /// <summary>Somebody has to grant a missing right first, so there is no hurry.</summary>
    public TimeSpan MaxForbiddenDelay { get; init; } = TimeSpan.FromMinutes(5);
}

/// <inheritdoc cref="IInformer{T}"/>
public sealed partial class Informer<T>(IKubernetesApi api, InformerOptions options, TimeProvider time, Random random, ILogger logger) : IInformer<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ObjectCache<T> _cache = new();
    private readonly Milestone _synced = new();
    private long _heardTimestamp = time.GetTimestamp();
    private SilenceWatchdog? _watch;
    private int _fruitless;
    private ulong _version;
    private volatile bool _isForbidden;

    public bool IsSynced => _synced.IsReached;

    public TimeSpan Staleness => time.GetElapsedTime(Interlocked.Read(ref _heardTimestamp));

    public bool IsForbidden => _isForbidden;

    public ulong Version => Interlocked.Read(ref _version);

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.WaitAsync(cancellationToken);

    public bool TryGet(ObjectKey key, [NotNullWhen(true)] out T? entity) => _cache.TryGet(key, out entity);

    public IReadOnlyList<T> Items() => _cache.Items();

    public IReadOnlyList<T> ByIndex(string indexName, string value) => _cache.ByIndex(indexName, value);

    public void AddIndex(string indexName, Func<T, IEnumerable<string>> values) => _cache.AddIndex(indexName, values);

    public void Subscribe(Action<CacheEvent<T>> handler) => _cache.Subscribe(handler);

    /// <summary>
    /// Gives up the present watch and lists anew: after an outage of the API server a watch may hang on a dead connection, and nobody
    /// would know before <see cref="InformerOptions.SilenceTimeout"/>.
    /// </summary>
    public void Relist() => Volatile.Read(ref _watch)?.GiveUp();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string? version = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var begun = time.GetTimestamp();
            try
            {
                version ??= await ListAsync(cancellationToken);
                version = await WatchAsync(version, cancellationToken);
                if (time.GetElapsedTime(begun) < options.MaxDelay) await PauseAsync(cancellationToken);
            }
            catch (KubernetesApiException e)
            {
                if (e.Failure == ApiFailure.Forbidden && options.MayBeForbidden) DoWithout(e.Message);
                else LogFailure(ResourceKind.Of<T>().Plural, e.Message);
                // Whatever broke, what happened meanwhile is unknown: a list tells it, deletions included.
                version = null;
                await PauseAsync(cancellationToken);
            }
        }
    }

    /// <summary>
    /// Grows as long as no watch tells anything: a server that ends each watch at once, or calls each fresh version expired,
    /// is not asked without rest either.
    /// </summary>
    private Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(Backoff(_fruitless++), time, cancellationToken);

    private async Task<string> ListAsync(CancellationToken cancellationToken)
    {
        var list = await api.ListAsync<T>(options.Namespace, options.Selection, cancellationToken);
        Heard();
        // A server that lags may list an older state than the cache had.
        UpTo(null);
        _cache.ReplaceAll(list.Items, list.Unreadable);
        UpTo(list.ResourceVersion);
        if (_isForbidden) LogAllowed(ResourceKind.Of<T>().Plural);
        _isForbidden = false;
        _synced.Reach();
        return list.ResourceVersion;
    }

    /// <summary>What was known may be long over. First the word and then the deed: at no moment does an empty cache look like an answer.</summary>
    private void DoWithout(string reason)
    {
        if (!_isForbidden) LogForbidden(ResourceKind.Of<T>().Plural, reason);
        _isForbidden = true;
        UpTo(null);
        _cache.ReplaceAll([], []);
        _synced.Reach();
    }

    /// <returns>The version up to which everything is in the cache: the next watch goes on from there.</returns>
    private async Task<string> WatchAsync(string version, CancellationToken cancellationToken)
    {
        using var silence = new SilenceWatchdog(options.SilenceTimeout, time, cancellationToken);
        Volatile.Write(ref _watch, silence);
        try
        {
            await foreach (var notice in api.WatchAsync<T>(options.Namespace, version, options.Selection, options.WatchTimeout, silence.Token))
            {
                silence.Reset();
                Heard();
                _fruitless = 0;
                version = notice.Entity.ResourceVersion() ?? version;
                Apply(notice);
                UpTo(version);
            }
            Heard();
            return version;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubernetesApiException(ApiFailure.Unreachable, "the watch was silent for too long, or across an outage", e);
        }
        finally
        {
            Volatile.Write(ref _watch, null);
        }
    }

    private void Apply(WatchNotice<T> notice)
    {
        switch (notice.Type)
        {
            case WatchNoticeType.Added or WatchNoticeType.Modified:
                _cache.Set(notice.Entity);
                break;
            case WatchNoticeType.Deleted:
                _cache.Remove(notice.Entity);
                break;
            case WatchNoticeType.Bookmark:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(notice), notice.Type, "unknown notice");
        }
    }

    private void UpTo(string? version) => Interlocked.Exchange(ref _version, ResourceVersions.Number(version));

    private void Heard() => Interlocked.Exchange(ref _heardTimestamp, time.GetTimestamp());

    /// <summary>Exponential, half of it by chance.</summary>
    private TimeSpan Backoff(int failures)
    {
        var most = _isForbidden ? options.MaxForbiddenDelay : options.MaxDelay;
        var full = Math.Min(most.TotalMilliseconds, options.BaseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 20)));
        lock (random) return TimeSpan.FromMilliseconds((full / 2) + (random.NextDouble() * full / 2));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the watch of {Resource} broke and everything is listed anew: {Reason}")]
    private partial void LogFailure(string resource, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Resource} may not be read, so nothing is known of them; asked again now and then: {Reason}")]
    private partial void LogForbidden(string resource, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Resource} may be read again")]
    private partial void LogAllowed(string resource);

    /// <summary>Cancels its token when it has not been reset for the given time.</summary>
    private sealed class SilenceWatchdog : IDisposable
    {
        private readonly CancellationTokenSource _source;
        private readonly ITimer _timer;
        private readonly TimeSpan _timeout;

        public SilenceWatchdog(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
        {
            _timeout = timeout;
            _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _timer = time.CreateTimer(_ => _source.Cancel(), null, timeout, Timeout.InfiniteTimeSpan);
        }

        public CancellationToken Token => _source.Token;

        /// <summary>From any thread, at any time: fires the timer now, which does nothing once it is disposed.</summary>
        public void GiveUp() => _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        public void Reset() => _timer.Change(_timeout, Timeout.InfiniteTimeSpan);

        public void Dispose()
        {
            _timer.Dispose();
            _source.Dispose();
        }
    }
}
