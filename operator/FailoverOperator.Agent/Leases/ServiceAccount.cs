using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverOperator.Agent.Leases;

/// <summary>Where the API server is, and what proves this pod to it and it to this pod.</summary>
/// <param name="Folder">Where token and certificate authority are mounted. Both are replaced from time to time.</param>
public sealed record ServiceAccount(IPEndPoint Server, string Folder)
{
    public const string DefaultFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    public Uri Address => new($"https://{Server}/");

    /// <summary>What a person has to put right before anything can work. Null: nothing.</summary>
    public string? Problem
    {
        get
        {
            try
            {
                _ = (ReadToken(), File.ReadAllText(CertificateFile));
                return null;
            }
            catch (Exception failure) when (IsExpected(failure))
            {
                return $"the service account's token and ca.crt cannot be read in {Folder} ({failure.Message}): set automountServiceAccountToken, or FAILOVER_SERVICE_ACCOUNT to where they are mounted";
            }
        }
    }

    private string CertificateFile => Path.Combine(Folder, "ca.crt");

    /// <summary>Read anew for each request: the kubelet renews it.</summary>
    public string ReadToken() => File.ReadAllText(Path.Combine(Folder, "token")).Trim();

    /// <summary>What changes when the certificate authority does.</summary>
    public DateTime CertificateTime => File.GetLastWriteTimeUtc(CertificateFile);

    /// <summary>A client with connections of its own.</summary>
    public HttpClient Connect()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(CertificateFile);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectTimeout = TimeSpan.FromSeconds(1),
            // A request that hangs occupies a connection until it is given up.
            MaxConnectionsPerServer = 4,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        return new HttpClient(handler) { BaseAddress = Address, Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = KubernetesLeaseApi.MaxBytes };
    }

    /// <summary>What reading these files can fail with.</summary>
    internal static bool IsExpected(Exception exception) => exception is IOException or UnauthorizedAccessException or CryptographicException;
}
