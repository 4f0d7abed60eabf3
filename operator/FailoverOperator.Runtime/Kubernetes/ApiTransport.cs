using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using k8s.Authentication;
using Polly;
using Polly.Retry;

namespace FailoverOperator.Runtime.Kubernetes;

/// <summary>Where the API server is and how to be known to it.</summary>
/// <param name="Client">Carries TLS and, for client certificates, the identity. Without a timeout of its own.</param>
/// <param name="Credentials">Adds a bearer token, read anew when it is rotated. Null: none.</param>
public sealed record ApiServerConnection(HttpClient Client, Uri BaseUri, ServiceClientCredentials? Credentials);

/// <summary>
/// Sends requests to the API server: each with a deadline, reads retried with jittered exponential backoff.
/// A write is retried only when it surely was not carried out (429, or no connection): else its outcome is unknown,
/// which the caller is told, to read again and decide again.
/// </summary>
public sealed class ApiTransport
{
    private readonly ApiServerConnection _server;
    private readonly KubernetesApiOptions _options;
    private readonly ApiHealth _health;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<HttpResponseMessage> _reads;
    private readonly ResiliencePipeline<HttpResponseMessage> _writes;

    public ApiTransport(ApiServerConnection server, KubernetesApiOptions options, ApiHealth health, TimeProvider time, Random random)
    {
        // Relative paths replace what follows the last slash: a server under a path of its own must keep all of it.
        _server = server with { BaseUri = new Uri(server.BaseUri.AbsoluteUri.TrimEnd('/') + "/") };
        _options = options;
        _health = health;
        _time = time;
        _reads = Pipeline(options, time, random, outcome => outcome.Exception is HttpRequestException or AttemptTimeoutException || IsPassing(outcome.Result));
        _writes = Pipeline(options, time, random, outcome => IsNotConnected(outcome.Exception) || outcome.Result?.StatusCode == HttpStatusCode.TooManyRequests);
    }

    public Task<string> ReadAsync(string path, string what, CancellationToken cancellationToken) =>
        WithinDeadlineAsync(what, async token =>
        {
            using var response = await _reads.ExecuteAsync(async attempt => await SendAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseContentRead, _options.ReadAttemptTimeout, attempt), token);
            return await BodyAsync(response, what, token);
        }, cancellationToken);

    public Task<string> WriteAsync(HttpMethod method, string path, HttpContent content, string what, CancellationToken cancellationToken) =>
        WithinDeadlineAsync(what, async token =>
        {
            var body = await content.ReadAsByteArrayAsync(token);
            using var response = await _writes.ExecuteAsync(async attempt => await SendAsync(method, path, Copy(body, content.Headers.ContentType), HttpCompletionOption.ResponseContentRead, _options.CallTimeout, attempt), token);
            return await BodyAsync(response, what, token);
        }, cancellationToken);

    /// <summary>Opens a stream of lines. The deadline is for the opening; the reader has to watch for silence.</summary>
    public Task<HttpResponseMessage> OpenAsync(string path, string what, CancellationToken cancellationToken) =>
        WithinDeadlineAsync(what, async token =>
        {
            // The stream must outlive the deadline of its opening, so that only the caller's own token goes with it.
            var response = await SendAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseHeadersRead, _options.CallTimeout, cancellationToken);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw ApiErrors.FromAnswer(response.StatusCode, await response.Content.ReadAsStringAsync(token), what);
        }, cancellationToken);

    /// <summary>Null: the stream has ended.</summary>
    public async Task<string?> ReadLineAsync(StreamReader reader, string what, CancellationToken cancellationToken)
    {
        try
        {
            var line = await reader.ReadLineAsync(cancellationToken);
            if (line is not null) _health.RecordSignOfLife();
            return line;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw ApiErrors.NoAnswer(what, "the connection broke", e);
        }
    }

    private async Task<T> WithinDeadlineAsync<T>(string what, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_options.CallTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await work(both.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw ApiErrors.NoAnswer(what, $"the API server has not answered within {_options.CallTimeout.TotalSeconds:0} s", e);
        }
        catch (AttemptTimeoutException e)
        {
            throw ApiErrors.NoAnswer(what, e.Message, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw ApiErrors.NoAnswer(what, $"no connection to the API server ({e.Message})", e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, HttpCompletionOption completion, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(_server.BaseUri, path)) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_server.Credentials is not null) await _server.Credentials.ProcessHttpRequestAsync(request, cancellationToken);

        using var attempt = new CancellationTokenSource(timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, cancellationToken);
        var sent = _time.GetTimestamp();
        try
        {
            var response = await _server.Client.SendAsync(request, completion, both.Token);
            if ((int)response.StatusCode < 500) _health.RecordAnswer(sent);
            else _health.RecordFailure();
            return response;
        }
        catch (OperationCanceledException) when (attempt.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            _health.RecordFailure();
            throw new AttemptTimeoutException($"no answer within {timeout.TotalSeconds:0.#} s");
        }
        catch (HttpRequestException)
        {
            _health.RecordFailure();
            throw;
        }
    }

    private static async Task<string> BodyAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode ? body : throw ApiErrors.FromAnswer(response.StatusCode, body, what);
    }

    private static ResiliencePipeline<HttpResponseMessage> Pipeline(KubernetesApiOptions options, TimeProvider time, Random random, Func<Outcome<HttpResponseMessage>, bool> retry) =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = options.MaxRetries,
            Delay = options.RetryBaseDelay,
            MaxDelay = options.RetryMaxDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Randomizer = () => Next(random),
            ShouldHandle = arguments => ValueTask.FromResult(retry(arguments.Outcome)),
            DelayGenerator = arguments => ValueTask.FromResult(RetryAfter(arguments.Outcome.Result)),
            OnRetry = arguments =>
            {
                arguments.Outcome.Result?.Dispose();
                return ValueTask.CompletedTask;
            },
        }).Build();

    /// <summary>Calls run at the same time, and a seeded Random is not made for that.</summary>
    private static double Next(Random random)
    {
        lock (random) return random.NextDouble();
    }

    /// <summary>What the server asks for; null: the backoff's own delay.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage? response) => response?.Headers.RetryAfter?.Delta;

    private static bool IsPassing(HttpResponseMessage? response) =>
        response is not null && ((int)response.StatusCode >= 500 || response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout);

    /// <summary>No connection was made, so that nothing can have been carried out.</summary>
    private static bool IsNotConnected(Exception? exception) =>
        exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
        && exception.InnerException is SocketException;

    private static ByteArrayContent Copy(byte[] body, MediaTypeHeaderValue? mediaType)
    {
        var copy = new ByteArrayContent(body);
        copy.Headers.ContentType = mediaType;
        return copy;
    }

    /// <summary>One attempt took too long; another one may be made.</summary>
    private sealed class AttemptTimeoutException(string message) : Exception(message);
}
