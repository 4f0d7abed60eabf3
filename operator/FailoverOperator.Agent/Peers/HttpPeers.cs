using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Peers;

/// <summary>Asks the other agents by HTTP, straight to their pods. The caller's token is the deadline.</summary>
public sealed class HttpPeers : IPeers, IDisposable
{
    private const int MaxAnswerBytes = 16 * 1024;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(1),
        MaxConnectionsPerServer = 2,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = MaxAnswerBytes,
    };

    private readonly AuthenticationHeaderValue _authorization;

    public HttpPeers(string token) => _authorization = new AuthenticationHeaderValue("Bearer", token);

    public async Task<AcknowledgeReply?> AcknowledgeAsync(LeaseMember member, AcknowledgeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var url = new UriBuilder("http", member.Address, member.AgentPort, AgentContract.AcknowledgePath).Uri;
            using var message = new HttpRequestMessage(HttpMethod.Post, url) { Content = Body(request), Headers = { Authorization = _authorization } };
            using var response = await _http.SendAsync(message, cancellationToken);
            return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync(AgentJson.Default.AcknowledgeReply, cancellationToken) : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or UriFormatException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Body(AcknowledgeRequest request) => new(JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AcknowledgeRequest))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };
}
