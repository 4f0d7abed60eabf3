using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FailoverOperator.Api.Agents;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Agent.Leases;

/// <summary>
/// The lease at the real API server. The watch has a client of its own, so that nothing that is stuck there keeps a renewal.
/// </summary>
public sealed class KubernetesLeaseApi : ILeaseApi, IDisposable
{
    /// <summary>No answer about one lease is longer.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Bound of every call; the caller's own is tighter.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A lease that is held changes at every renewal. A watch that is silent for so long may be one that died unnoticed, and
    /// asking anew costs little.
    /// </summary>
    private static readonly TimeSpan WatchSilence = TimeSpan.FromSeconds(4);

    private readonly ServiceAccount _account;
    private readonly string _list;
    private readonly string _lease;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Connection _calls;
    private readonly Connection _watch;

    public KubernetesLeaseApi(ServiceAccount account, string namespaceName, string leaseName, TimeProvider time)
    {
        (_account, _name, _time) = (account, leaseName, time);
        var leases = $"apis/coordination.k8s.io/v1/namespaces/{Uri.EscapeDataString(namespaceName)}/leases";
        _lease = $"{leases}/{Uri.EscapeDataString(leaseName)}";
        // The Role names this one lease; with this selector a list and a watch are of this one, too.
        _list = $"{leases}?fieldSelector=metadata.name%3D{Uri.EscapeDataString(leaseName)}";
        (_calls, _watch) = (new Connection(account), new Connection(account));
    }

    public Task<LeaseReply> ReadAsync(CancellationToken cancellationToken) => CallAsync(() => new HttpRequestMessage(HttpMethod.Get, _lease), cancellationToken);

    public Task<LeaseReply> RenewAsync(LeaseRecord read, LeaseTerms accepted, CancellationToken cancellationToken) =>
        CallAsync(() => Patch(LeaseCodec.Renewal(read, accepted, _time.GetUtcNow())), cancellationToken);

    public Task<LeaseReply> ReleaseAsync(LeaseRecord read, ReleaseNote note, CancellationToken cancellationToken) =>
        CallAsync(() => Patch(LeaseCodec.Release(read, note)), cancellationToken);

    public async IAsyncEnumerable<LeaseRecord?> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (list, known) = await ListAsync(cancellationToken);
        if (list is null) yield break;
        yield return known;
        using var lines = new LineReader(await OpenWatchAsync(list.Metadata?.ResourceVersion, cancellationToken), MaxBytes);
        while (await NextAsync(lines, cancellationToken) is { } seen)
            if (seen.Lease is not null || seen.IsDeleted)
                yield return seen.Lease;
    }

    public void Dispose()
    {
        _calls.Dispose();
        _watch.Dispose();
    }

    private async Task<LeaseReply> CallAsync(Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(CallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var response = await _calls.SendAsync(request(), HttpCompletionOption.ResponseContentRead, either.Token);
            return await ReadAsync(response, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new LeaseReply.Failed("the API server did not answer in time");
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            return new LeaseReply.Failed(Describe(failure));
        }
    }

    private async Task<LeaseReply> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK when Parse(body, LeaseJson.Default.LeaseObject) is { } lease => new LeaseReply.Found(LeaseCodec.Read(lease)),
            HttpStatusCode.OK => new LeaseReply.Failed("the API server answered with something that is no lease"),
            // Only the API server itself can say that; whoever else answers in its place cannot end a tenure.
            HttpStatusCode.NotFound when Parse(body, LeaseJson.Default.ApiStatus) is { Reason: "NotFound", Details: { Kind: "leases" } details } && details.Name == _name =>
                new LeaseReply.Absent(),
            HttpStatusCode.Conflict => new LeaseReply.Conflict(),
            _ => new LeaseReply.Failed(Describe(response.StatusCode, body)),
        };
    }

    private async Task<(LeaseList? List, LeaseRecord? Lease)> ListAsync(CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(CallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var response = await _watch.SendAsync(new HttpRequestMessage(HttpMethod.Get, _list), HttpCompletionOption.ResponseContentRead, either.Token);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token);
            if (!response.IsSuccessStatusCode || Parse(body, LeaseJson.Default.LeaseList) is not { } list) return (null, null);
            return (list, list.Items is [var lease, ..] ? LeaseCodec.Read(lease) : null);
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (null, null);
        }
    }

    /// <summary>Null: there is none now.</summary>
    private async Task<(HttpResponseMessage Response, Stream Stream)?> OpenWatchAsync(string? version, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(CallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"{_list}&watch=true&resourceVersion={Uri.EscapeDataString(version ?? "")}");
            var response = await _watch.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (response.IsSuccessStatusCode) return (response, await response.Content.ReadAsStreamAsync(either.Token));
            response.Dispose();
            return null;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Null: the watch has ended, by itself, by an error such as 410, or because it was silent for too long.</summary>
    private async Task<(LeaseRecord? Lease, bool IsDeleted)?> NextAsync(LineReader lines, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(WatchSilence, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            if (await lines.ReadAsync(either.Token) is not { } line) return null;
            return Parse(line.Span, LeaseJson.Default.LeaseEvent) switch
            {
                { Type: "ADDED" or "MODIFIED", Object: { } lease } => (LeaseCodec.Read(lease), false),
                { Type: "DELETED" } => (null, true),
                { Type: "BOOKMARK" } => (null, false),
                _ => null,
            };
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private HttpRequestMessage Patch(byte[] body) => new(HttpMethod.Patch, _lease)
    {
        Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/merge-patch+json") } },
    };

    private string Describe(HttpStatusCode code, byte[] body) => code switch
    {
        HttpStatusCode.Unauthorized => "the API server does not accept the token of the pod's service account",
        HttpStatusCode.Forbidden => $"the pod's service account may not do that: give it a Role with get, list, watch and patch on the lease {_name}",
        _ => $"the API server answered {(int)code}: {Parse(body, LeaseJson.Default.ApiStatus)?.Message ?? "no message"}",
    };

    private string Describe(Exception failure) => failure switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => $"no trusted connection to the API server: {failure.InnerException?.Message ?? failure.Message}",
        HttpRequestException => $"the API server cannot be reached: {failure.Message}",
        _ => $"the files in {_account.Folder} cannot be read: {failure.Message}",
    };

    private static bool IsExpected(Exception exception) => exception is HttpRequestException or OperationCanceledException || ServiceAccount.IsExpected(exception);

    private static T? Parse<T>(ReadOnlySpan<byte> json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A client that is made anew when the certificate authority was replaced.</summary>
    private sealed class Connection(ServiceAccount account) : IDisposable
    {
        private HttpClient? _client;
        private DateTime _certificateTime;

        public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
        {
            using (request)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", account.ReadToken());
                return await Client().SendAsync(request, completion, cancellationToken);
            }
        }

        public void Dispose() => _client?.Dispose();

        private HttpClient Client()
        {
            lock (this)
            {
                if (_client is not null && account.CertificateTime == _certificateTime) return _client;
                _certificateTime = account.CertificateTime;
                // The old one is left to those who use it still.
                return _client = account.Connect();
            }
        }
    }
}
