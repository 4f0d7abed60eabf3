using FailoverOperator.Runtime.Kubernetes;

namespace FailoverOperator.Tests.Runtime;

public sealed class ResourceVersionsTests
{
    [Theory]
    [InlineData("1", 1)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    [InlineData("18446744073709551616", 0)]
    [InlineData("-1", 0)]
    [InlineData(" 1", 0)]
    [InlineData("1,000", 0)]
    [InlineData("abc", 0)]
    [InlineData("", 0)]
    [InlineData(null, 0)]
    public void What_is_not_a_number_is_older_than_all(string? version, ulong expected) => Assert.Equal(expected, ResourceVersions.Number(version));
}
