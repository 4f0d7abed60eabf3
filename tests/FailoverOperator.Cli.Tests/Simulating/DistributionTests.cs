using CsCheck;
using FailoverOperator.Cli.Simulating;

namespace FailoverOperator.Cli.Tests.Simulating;

public sealed class DistributionTests
{
    [Fact]
    public void Each_figure_is_one_that_occurred() =>
        Assert.Equal(new Distribution(100, 1, 50, 95, 99, 100), Distribution.Of(Enumerable.Range(1, 100).Select(n => (long)n)));

    [Fact]
    public void Of_one_value_all_figures_are_the_same() => Assert.Equal(new Distribution(1, 7, 7, 7, 7, 7), Distribution.Of([7L]));

    [Fact]
    public void Of_none_nothing_is_known() => Assert.Null(Distribution.Of(Array.Empty<long>()));

    [Fact]
    public void Every_value_is_in_one_bin_and_there_are_few() => Gen.Int[0, 1_000_000].Array[1, 200].Sample(values =>
    {
        var bins = Bin.Of(values.Select(v => TimeSpan.FromMilliseconds(v)));
        Assert.Equal(values.Length, bins.Sum(b => b.Count));
        Assert.InRange(bins.Count, 1, 10);
        Assert.All(values, v => Assert.Single(bins, b => v >= b.From && v < b.To));
        Assert.All(bins.Zip(bins.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
    });
}
