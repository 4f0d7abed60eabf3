using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FailoverOperator.Observing;

namespace FailoverOperator.Hosting;

/// <summary>The webhook's certificate, read anew now and then: whoever renews it need not restart the operator.</summary>
internal sealed class WebhookCertificate(string folder, OperatorClock clock)
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _reading = new();
    private X509Certificate2? _current;
    private TimeSpan _readAt;

    public X509Certificate2? Current
    {
        get
        {
            lock (_reading)
            {
                if (_current is not null && clock.Now - _readAt < ReadEvery) return _current;
                try
                {
                    _current = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
                    _readAt = clock.Now;
                }
                catch (Exception e) when (e is IOException or CryptographicException or UnauthorizedAccessException)
                {
                    // Half written: the one before goes on, and the next call reads again.
                }
                return _current;
            }
        }
    }
}
