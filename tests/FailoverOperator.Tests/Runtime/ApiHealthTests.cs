using FailoverOperator.Runtime.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Runtime;

public sealed class ApiHealthTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(4.9, 0)]
    [InlineData(5.1, 1)]
    public void Tells_once_that_the_server_is_back_after_an_outage(double silentForSeconds, int told)
    {
        var health = new ApiHealth(_time);
        var count = 0;
        health.Resumed += () => count++;
        health.RecordAnswer(_time.GetTimestamp());
        Assert.Equal(0, count);

        _time.Advance(TimeSpan.FromSeconds(silentForSeconds));
        health.RecordFailure();
        health.RecordSignOfLife();
        health.RecordAnswer(_time.GetTimestamp());
        Assert.Equal(told, count);
    }
}
