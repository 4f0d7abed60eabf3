using FailoverOperator.Agent.Servers.PostgreSql;

namespace FailoverOperator.Agent.Tests.PostgreSql;

public sealed class ServerLogTests
{
    [Theory]
    [InlineData("2026 UTC [9] PANIC:  could not write to file \"pg_wal/xlogtemp.9\": No space left on device\n2026 UTC [1] LOG:  server process (PID 9) was terminated by signal 6: Aborted\n2026 UTC [8] FATAL:  the database system is in recovery mode",
        "the disk is full: free space or enlarge the volume; the server ended with exit code 1: PANIC: could not write to file \"pg_wal/xlogtemp.9\": No space left on device")]
    [InlineData("2026 UTC [9] LOG:  syntax error in file \"/data/postgresql.auto.conf\" line 3, near token \"=\"\n2026 UTC [9] FATAL:  configuration file \"postgresql.auto.conf\" contains errors",
        "postgresql.auto.conf in PGDATA is corrupt: correct or empty it; the server ended with exit code 1: syntax error in file \"/data/postgresql.auto.conf\" line 3, near token \"=\"; FATAL: configuration file \"postgresql.auto.conf\" contains errors")]
    [InlineData("2026 UTC [9] FATAL:  could not open directory \"pg_notify\": No such file or directory\n2026 UTC [9] LOG:  database system is shut down",
        "the server ended with exit code 1: FATAL: could not open directory \"pg_notify\": No such file or directory")]
    [InlineData("pg_basebackup: error: connection to server at \"10.0.0.1\", port 5432 failed: Connection refused",
        "the server ended with exit code 1: error: connection to server at \"10.0.0.1\", port 5432 failed: Connection refused")]
    [InlineData("Bus error", "the server ended with exit code 1: Bus error")]
    [InlineData("", "the server ended with exit code 1")]
    public void An_end_is_explained_by_the_most_telling_line_with_what_to_do(string output, string expected) =>
        Assert.Equal(expected, ServerLog.Explain("the server", 1, output));

    [Fact]
    public void A_signal_is_named() => Assert.Equal("the server was ended by signal 9", ServerLog.Explain("the server", 137, ""));

    [Fact]
    public void A_message_is_no_longer_than_a_person_reads() =>
        Assert.InRange(ServerLog.Explain("the server", 1, "FATAL:  " + new string('x', 5000)).Length, 100, 500);

    [Theory]
    [InlineData("pg_rewind: error: connection to server at \"10.0.0.1\" failed: timeout expired", false)]
    [InlineData("pg_rewind: executing \"postgres\" for target server to complete crash recovery\nFATAL:  could not write lock file: No space left on device", false)]
    [InlineData("pg_rewind: error: could not find common ancestor of the source and target cluster's timelines", true)]
    [InlineData("pg_rewind: error: target server needs to use either data checksums or \"wal_log_hints = on\"", true)]
    [InlineData("pg_rewind: rewinding from last common checkpoint at 0/2000060 on timeline 1\npg_rewind: error: connection to server was lost", true)]
    [InlineData("pg_rewind: rewinding from last common checkpoint at 0/2000060 on timeline 1\npg_rewind: error: could not write file: No space left on device", true)]
    public void A_rewinding_that_has_changed_nothing_may_be_tried_again(string output, bool isImpossible) =>
        Assert.Equal(isImpossible, ServerLog.Judge(output, "problem") is Rewinding.Impossible);
}
