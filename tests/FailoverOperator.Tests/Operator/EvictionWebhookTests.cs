using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using FailoverOperator.Hosting;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

public sealed class EvictionWebhookTests : IDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("failover-webhook-").FullName;

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);

    [Theory]
    [InlineData("""{"request":{"uid":"7","subResource":"eviction","namespace":"shop","name":"db-0"}}""", false)]
    [InlineData("""{"request":{"uid":"7","subResource":"eviction","namespace":"shop","object":{"metadata":{"name":"db-0"}}}}""", false)]
    [InlineData("""{"request":{"uid":"7","subResource":"eviction","namespace":"shop","name":"db-0","dryRun":true}}""", true)]
    public void It_says_whose_eviction_is_asked_for(string text, bool isDryRun)
    {
        var review = EvictionReview.Read(Json(text))!;
        Assert.Equal(("7", new ObjectKey("shop", "db-0"), isDryRun), (review.Uid, review.Pod, review.IsDryRun));
        Assert.Equal("""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"7","allowed":true}}""", review.Answer());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"request":7}""")]
    [InlineData("""{"request":{"uid":"7","subResource":"status","namespace":"shop","name":"db-0"}}""")]
    [InlineData("""{"request":{"uid":7,"subResource":"eviction","namespace":"shop","name":"db-0"}}""")]
    [InlineData("""{"request":{"uid":"7","subResource":"eviction","name":"db-0"}}""")]
    [InlineData("""{"request":{"uid":"7","subResource":"eviction","namespace":"shop"}}""")]
    public void Anything_else_is_none(string text) => Assert.Null(EvictionReview.Read(Json(text)));

    /// <summary>The process as it is, over TLS; the API server is not there, which keeps nobody from an answer.</summary>
    [Fact]
    public async Task Who_knows_the_path_gets_an_answer()
    {
        WriteSecret();
        var settings = new OperatorSettings { HttpPort = 0, WebhookPort = 0, WebhookFolder = _folder, LogLevel = Microsoft.Extensions.Logging.LogLevel.None };
        await using var app = Composition.Build(settings, new FakeTimeProvider(), seed: 1);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var (plain, secure) = (Port(app, "http:"), Port(app, "https:"));
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=webhook" };
        using var client = new HttpClient(handler);
        async Task<HttpResponseMessage> PostAsync(string url, string body) =>
            await client.PostAsync(url, new StringContent(body, System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        const string Review = """{"request":{"uid":"7","subResource":"eviction","namespace":"shop","name":"db-0"}}""";

        using var answer = await PostAsync($"https://localhost:{secure}/evictions/{Token}", Review);
        var response = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("response");
        Assert.Equal(("7", true), (response.GetProperty("uid").GetString(), response.GetProperty("allowed").GetBoolean()));
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync($"https://localhost:{secure}/evictions/another", Review)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync($"http://localhost:{plain}/evictions/{Token}", Review)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync($"https://localhost:{secure}/evictions/{Token}", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync($"https://localhost:{secure}/evictions/{Token}", "not json")).StatusCode);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void WriteSecret()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256).CreateSelfSigned(FakeAgents.Epoch.AddYears(-1), FakeAgents.Epoch.AddYears(100));
        File.WriteAllText(Path.Combine(_folder, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(_folder, "token"), Token);
    }

    private static int Port(WebApplication app, string scheme) => new Uri(app.Urls.Single(url => url.StartsWith(scheme, StringComparison.Ordinal)).Replace("[::]", "localhost", StringComparison.Ordinal)).Port;
}
