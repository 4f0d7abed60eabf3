using FailoverOperator.Cli.Printing;

namespace FailoverOperator.Cli.Tests.Printing;

public sealed class WordsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "just now")]
    [InlineData(0.9, "just now")]
    [InlineData(-59, "just now")]
    [InlineData(1, "1 s ago")]
    [InlineData(59.9, "59 s ago")]
    [InlineData(60, "1 min ago")]
    [InlineData(3599, "59 min ago")]
    [InlineData(3600, "1 h ago")]
    [InlineData(47 * 3600, "47 h ago")]
    [InlineData(48 * 3600, "2 d ago")]
    [InlineData(-61, "at 2026-03-01 12:01:01Z, which is yet to come by this machine's clock")]
    public void A_time_is_told_by_how_long_ago_it_was(double secondsAgo, string expected) =>
        Assert.Equal(expected, Words.Ago(Now - TimeSpan.FromSeconds(secondsAgo), Now));

    [Fact]
    public void What_is_not_known_is_unknown()
    {
        Assert.Equal("unknown", Words.Ago(null, Now));
        Assert.Equal("unknown", Words.Bytes(null));
        Assert.Equal("unknown", Words.Number(null));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(3L << 20, "3 MiB")]
    [InlineData(5L << 30, "5 GiB")]
    public void Bytes_are_told_in_their_unit(long bytes, string expected) => Assert.Equal(expected, Words.Bytes(bytes));

    [Theory]
    [InlineData("as it is, é 数 😀", "as it is, é 数 😀")]
    [InlineData("two\nlines\tand\rmore", "two lines and more")]
    [InlineData("\u001b[2J\u0007\u0000", "\uFFFD[2J\uFFFD\uFFFD")]
    [InlineData("a\u202eb\u200bc\u2028d", "a\uFFFDb\uFFFDc\uFFFDd")]
    [InlineData(null, "")]
    public void Nothing_that_others_wrote_steers_the_terminal(string? text, string expected) => Assert.Equal(expected, Words.Printable(text));
}
