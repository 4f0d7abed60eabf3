using FailoverOperator.Workload;

namespace FailoverOperator.Tests.Workload;

public sealed class DualWritesTests
{
    [Fact]
    public void One_server_after_the_other_is_no_dual_write() =>
        Assert.Equal(0, DualWrites.Count([Tenure("a", null, 11, 10, 20, 30), Tenure("b", null, 41, 40, 50)]));

    [Fact]
    public void A_write_sent_to_the_old_server_after_the_new_one_acknowledged_one_is_a_dual_write() =>
        Assert.Equal(2, DualWrites.Count([Tenure("a", null, 11, 10, 20, 50, 60), Tenure("b", null, 41, 40, 70)]));

    [Fact]
    public void A_client_that_is_served_by_the_old_server_again_has_seen_two_primaries() =>
        Assert.Equal(1, DualWrites.Count([Tenure("a", null, 11, 10), Tenure("b", null, 21, 20), Tenure("a", null, 31, 30)]));

    [Fact]
    public void A_write_that_was_under_way_when_the_new_server_began_proves_nothing() =>
        Assert.Equal(0, DualWrites.Count([Tenure("a", null, 11, 10, 39), Tenure("b", null, 41, 38)]));

    [Fact]
    public void The_same_server_in_a_later_term_is_another_primary() =>
        Assert.Equal(0, DualWrites.Count([Tenure("a", 1, 11, 10), Tenure("b", 2, 21, 20), Tenure("a", 3, 31, 30)]));

    [Fact]
    public void A_lower_term_is_the_old_one_even_if_it_was_seen_later() =>
        Assert.Equal(1, DualWrites.Count([Tenure("b", 2, 21, 20), Tenure("a", 1, 31, 30)]));

    [Fact]
    public void Two_servers_in_the_same_term_are_two_primaries() =>
        Assert.Equal(2, DualWrites.Count([Tenure("a", 1, 11, 10, 30, 40), Tenure("b", 1, 21, 20, 50)]));

    [Fact]
    public void The_first_successor_ends_a_reign() =>
        Assert.Equal(2, DualWrites.Count([Tenure("a", 1, 11, 10, 30, 40), Tenure("c", 3, 61, 60), Tenure("b", 2, 21, 20)]));

    [Fact]
    public void Nothing_written_is_no_dual_write() => Assert.Equal(0, DualWrites.Count([]));

    private static Tenure Tenure(string instance, long? term, long firstAcknowledged, params long[] sent) => new(new ServerIdentity(instance, term), firstAcknowledged, sent);
}
