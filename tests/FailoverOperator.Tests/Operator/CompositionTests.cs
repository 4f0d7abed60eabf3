using FailoverOperator.Hosting;

namespace FailoverOperator.Tests.Operator;

public class CompositionTests
{
    /// <summary>The container checks every part's needs when it is built.</summary>
    [Fact]
    public async Task The_process_can_be_put_together()
    {
        await using var app = Composition.Build(new OperatorSettings(), new Microsoft.Extensions.Time.Testing.FakeTimeProvider(), seed: 1);
        Assert.NotNull(app);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public void Nodes_are_read_unless_it_is_said_otherwise(string? value, bool read) =>
        Assert.Equal(read, OperatorSettings.Read(name => name == "FAILOVER_READ_NODES" ? value : null).ReadNodes);

    [Theory]
    [InlineData("FAILOVER_HTTP_PORT", "eighty")]
    [InlineData("FAILOVER_HTTP_PORT", "70000")]
    [InlineData("FAILOVER_READ_NODES", "maybe")]
    [InlineData("FAILOVER_LOG_LEVEL", "loud")]
    [InlineData("FAILOVER_MAX_CONCURRENT_FAILOVERS", "-1")]
    [InlineData("FAILOVER_MAX_CONCURRENT_FAILOVERS", "many")]
    [InlineData("FAILOVER_LOG_FORMAT", "xml")]
    public void A_bad_setting_is_refused_by_name(string variable, string value)
    {
        var refusal = Assert.Throws<FormatException>(() => OperatorSettings.Read(name => name == variable ? value : null));
        Assert.Contains(variable, refusal.Message);
    }
}
