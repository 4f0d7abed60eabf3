using FailoverOperator.Api.Failovers;
using FailoverOperator.Observing;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>What the operator wrote counts until the watch has caught up, and not beyond.</summary>
public sealed class GroupSessionTests : IAsyncDisposable
{
    private readonly GroupSession _session = new("0", Objects.Spec("db", "data"), new FakeServers().Engine(), new OperatorClock(new FakeTimeProvider()), () => { });

    [Theory]
    [InlineData(9, null, "db-0-1 at 10")]
    [InlineData(10, null, "")]
    [InlineData(12, null, "")]
    [InlineData(9, 8, "db-0-1 at 10")]
    [InlineData(10, 10, "db-0-1 at 10")]
    [InlineData(12, 12, "db-0-1 at 12")]
    public void What_was_written_counts_until_the_watch_has_caught_up(ulong upTo, int? cached, string expected)
    {
        _session.Wrote(Written(10));
        for (var look = 0; look < 2; look++)
            Assert.Equal(expected, string.Join(", ", _session.Newest(cached is { } version ? [Written(version)] : [], upTo).Select(f => $"{f.Name()} at {f.ResourceVersion()}")));
    }

    [Fact]
    public void What_was_deleted_is_forgotten_for_good()
    {
        _session.Wrote(Written(10));
        Assert.Empty(_session.Newest([], 11));
        // The watch begins anew, with what a server tells that lags.
        Assert.Empty(_session.Newest([], 9));
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private static Failover Written(int version) => new()
    {
        Metadata = new V1ObjectMeta { Name = "db-0-1", Uid = "uid-1", ResourceVersion = $"{version}" },
        Spec = new FailoverSpec { GroupRef = new GroupReference { Name = "db" } },
    };
}
