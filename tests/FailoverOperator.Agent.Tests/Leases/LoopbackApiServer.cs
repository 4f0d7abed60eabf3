using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverOperator.Agent.Leases;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FailoverOperator.Agent.Tests.Leases;

/// <summary>What the agent asked.</summary>
internal sealed record Asked(string Method, string Path, string? Token, string? ContentType, string Body);

/// <summary>An HTTPS server on loopback, with a certificate authority of its own, that answers as the test says.</summary>
internal sealed class LoopbackApiServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly DirectoryInfo folder;

    private LoopbackApiServer(WebApplication app, DirectoryInfo folder) => (this.app, this.folder) = (app, folder);

    public ConcurrentQueue<Asked> Requests { get; } = new();

    public Func<Asked, HttpContext, Task> Answer { get; set; } = (_, context) => Task.CompletedTask;

    public ServiceAccount Account { get; private set; } = null!;

    /// <param name="isTrusted">Whether the mounted certificate authority is the one that the server has its certificate from.</param>
    public static async Task<LoopbackApiServer> StartAsync(bool isTrusted = true)
    {
        var folder = Directory.CreateTempSubdirectory("service-account-");
        var (authority, certificate) = Certificates();
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "ca.crt"), (isTrusted ? authority : Certificates().Authority).ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "token"), "first\n");

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var app = builder.Build();
        var server = new LoopbackApiServer(app, folder);
        app.Run(server.HandleAsync);
        await app.StartAsync();
        var port = new Uri(app.Urls.Single()).Port;
        server.Account = new ServiceAccount(new IPEndPoint(IPAddress.Loopback, port), folder.FullName);
        return server;
    }

    public void ReplaceToken(string token) => File.WriteAllText(Path.Combine(folder.FullName, "token"), token);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var asked = new Asked(
            context.Request.Method, context.Request.Path + context.Request.QueryString.ToString(), context.Request.Headers.Authorization,
            context.Request.ContentType, await reader.ReadToEndAsync());
        Requests.Enqueue(asked);
        await Answer(asked, context);
    }

    private static (X509Certificate2 Authority, X509Certificate2 Server) Certificates()
    {
        var (from, to) = (DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(130));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test-authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = request.CreateSelfSigned(from, to);

        using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var serverRequest = new CertificateRequest("CN=kube-apiserver", serverKey, HashAlgorithmName.SHA256);
        serverRequest.CertificateExtensions.Add(names.Build());
        using var signed = serverRequest.Create(authority, from, to, [1, 2, 3, 4]);
        using var withKey = signed.CopyWithPrivateKey(serverKey);
        return (authority, X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null));
    }
}
