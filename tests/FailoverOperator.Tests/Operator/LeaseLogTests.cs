using FailoverOperator.Api;
using FailoverOperator.Api.Agents;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Core.Leases;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>For how long a lease has surely not changed.</summary>
public sealed class LeaseLogTests : IDisposable
{
    private static readonly RedundancyGroup Group = new() { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop" }, Spec = new RedundancyGroupSpec { Agent = new AgentSpec() } };
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly TestLoop _loop = new();
    private readonly FakeKubernetesApi _server;
    private readonly FakeKubernetesApi _api;
    private readonly CancellationTokenSource _life = new();
    private readonly LeaseLog _log;

    public LeaseLogTests()
    {
        var health = new ApiHealth(_time);
        _server = new FakeKubernetesApi(_time);
        _api = _server.Connect(health);
        var informer = new Informer<V1Lease>(_api, new InformerOptions { Selection = new ListOptions(ApiGroup.GroupLabel) }, _time, new Random(1), NullLogger.Instance);
        _log = new LeaseLog(informer, _api, health, new OperatorClock(_time), NullLogger<LeaseLog>.Instance);
        _ = _loop.Start(() => UntilEndAsync(informer.RunAsync));
        _ = _loop.Start(() => UntilEndAsync(new ApiHealthMonitor(_api, _time).RunAsync));
    }

    public void Dispose()
    {
        _life.Cancel();
        _loop.Dispose();
    }

    [Fact]
    public void A_lease_that_is_not_there_is_observed_from_the_first_question_on()
    {
        Assert.Null(_log.Observe(Group).Record);
        Pass(2);
        Assert.Equal(TimeSpan.FromSeconds(2), _log.Observe(Group).UnchangedFor);
    }

    [Fact]
    public void Every_change_begins_anew_and_its_deletion_too()
    {
        Seed();
        Pass(3);
        Assert.Equal(TimeSpan.FromSeconds(3), _log.Observe(Group).UnchangedFor);
        Renew();
        Pass(1);
        Assert.Equal(("db-1/uid-1", TimeSpan.FromSeconds(1)), (_log.Observe(Group).Record!.Holder, _log.Observe(Group).UnchangedFor));
        _server.Remove<V1Lease>("shop", "db-0");
        _loop.Settle();
        Pass(2);
        Assert.Null(_log.Observe(Group).Record);
        Assert.Equal(TimeSpan.FromSeconds(2), _log.Observe(Group).UnchangedFor);
    }

    [Fact]
    public void A_lease_is_not_expired_before_a_read_has_told_the_same()
    {
        Seed();
        Pass(6);
        Assert.True(_log.Observe(Group).UnchangedFor < Duration);
        Confirm();
        Assert.Equal(TimeSpan.FromSeconds(6), _log.Observe(Group).UnchangedFor);
    }

    [Fact]
    public void Nothing_is_read_before_the_expiry_and_nothing_twice()
    {
        Seed();
        Pass(4.9);
        Confirm();
        Assert.DoesNotContain(_api.Calls, c => c.Verb == "get");
        Pass(0.1);
        Confirm();
        Confirm();
        Assert.Single(_api.Calls, c => c.Verb == "get");
    }

    /// <summary>A connection whose other end is gone without a word.</summary>
    [Fact]
    public void A_dead_watch_does_not_make_a_lease_look_expired()
    {
        Seed();
        _server.SilenceWatches();
        for (var i = 0; i < 20; i++)
        {
            Pass(1);
            Renew();
            Confirm();
            Assert.True(_log.Observe(Group).UnchangedFor < Duration);
        }
    }

    [Fact]
    public void A_read_that_fails_confirms_nothing()
    {
        Seed();
        Pass(5);
        _api.Faults.FailNext(ApiFailure.Unavailable, c => c.Verb == "get");
        Confirm();
        Assert.True(_log.Observe(Group).UnchangedFor < Duration);
        Confirm();
        Assert.Equal(Duration, _log.Observe(Group).UnchangedFor);
    }

    /// <summary>The holder could not renew either, or it could and nobody saw it: it gets the whole time from then on.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(60)]
    public void Time_in_which_the_API_server_was_silent_does_not_count(double seconds)
    {
        Seed();
        Pass(1);
        _api.IsCutOff = true;
        for (var passed = 0.0; passed < seconds; passed += 0.5)
        {
            Pass(0.5);
            Confirm();
            Assert.True(_log.Observe(Group).UnchangedFor < Duration);
        }
        _api.IsCutOff = false;
        Pass(4.4);
        Confirm();
        Assert.True(_log.Observe(Group).UnchangedFor < Duration);
        Pass(2);
        Confirm();
        Assert.True(_log.Observe(Group).UnchangedFor >= Duration);
    }

    [Fact]
    public void A_slow_API_server_is_not_a_silent_one()
    {
        Seed();
        _api.Faults.Before = (_, token) => Task.Delay(TimeSpan.FromSeconds(2), _time, token);
        Pass(10);
        Confirm();
        Pass(2);
        Assert.True(_log.Observe(Group).UnchangedFor >= Duration);
    }

    [Fact]
    public void A_longer_duration_that_the_holder_may_not_have_accepted_yet_counts()
    {
        Seed(new LeaseTerms { LeaseDurationSeconds = 20 });
        Pass(19.9);
        Assert.Equal(TimeSpan.FromSeconds(0.1), _log.ExpiresIn(Group));
        Confirm();
        Assert.DoesNotContain(_api.Calls, c => c.Verb == "get");
    }

    [Fact]
    public void What_was_written_is_known_before_the_watch_tells_it_and_an_older_word_is_not_believed()
    {
        Seed();
        var old = _server.Peek<V1Lease>("shop", "db-0")!;
        Pass(3);
        _server.SilenceWatches();
        var written = Renew();
        _log.Note(LeaseLog.KeyOf(Group), written);
        Assert.Equal((TimeSpan.Zero, written.ResourceVersion()), (_log.Observe(Group).UnchangedFor, _log.Observe(Group).Record!.Version));
        _log.Note(LeaseLog.KeyOf(Group), old);
        Assert.Equal(written.ResourceVersion(), _log.Newest(Group)!.ResourceVersion());
    }

    /// <summary>Without its label the watch does not see it any more.</summary>
    [Fact]
    public void A_lease_whose_label_somebody_removed_is_found_by_the_read()
    {
        Seed();
        _server.Change<V1Lease>("shop", "db-0", l => l.Metadata.Labels = null);
        Pass(1);
        Assert.Null(_log.Observe(Group).Record);
        Pass(5);
        Confirm();
        Assert.Equal("db-1/uid-1", _log.Observe(Group).Record!.Holder);
    }

    [Fact]
    public void A_group_that_was_deleted_and_made_anew_finds_the_lease_that_stayed()
    {
        Seed();
        Pass(3);
        _log.Forget(Group);
        Assert.Equal(("db-1/uid-1", TimeSpan.Zero), (_log.Observe(Group).Record!.Holder, _log.Observe(Group).UnchangedFor));
    }

    [Fact]
    public void What_cannot_be_read_of_a_lease_is_said()
    {
        Seed();
        _server.Change<V1Lease>("shop", "db-0", l => l.Metadata.Annotations[LeaseContract.TermsAnnotation] = "{");
        Pass(0.1);
        Assert.Equal(["failover-operator.io/terms"], _log.Observe(Group).Unreadable);
    }

    private void Seed(LeaseTerms? terms = null)
    {
        _server.Seed(LeaseCodec.Write(null, "shop", "db", ElectorProtocol.Assign(null, expired: false, "db-1/uid-1", 7, terms ?? new LeaseTerms()), _time.GetUtcNow()));
        _loop.Settle();
    }

    private V1Lease Renew()
    {
        var renewed = _server.Change<V1Lease>("shop", "db-0", l => l.Spec.RenewTime = _time.GetUtcNow().UtcDateTime);
        _loop.Settle();
        return renewed;
    }

    private void Pass(double seconds) => _loop.Pass(TimeSpan.FromSeconds(seconds), _time.Advance);

    private void Confirm()
    {
        _ = _loop.Start(() => _log.ConfirmAsync(Group, _life.Token));
    }

    private async Task UntilEndAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_life.Token);
        }
        catch (OperationCanceledException) when (_life.IsCancellationRequested)
        {
            // The end.
        }
    }
}
