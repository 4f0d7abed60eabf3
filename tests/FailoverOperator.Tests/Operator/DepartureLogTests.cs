using FailoverOperator.Core.Observations;
using FailoverOperator.Observing;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverOperator.Tests.Operator;

/// <summary>For how long a pod has been gone, as far as that proves anything.</summary>
public sealed class DepartureLogTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestLoop _loop = new();
    private readonly FakeKubernetesApi _api;
    private readonly CancellationTokenSource _life = new();
    private readonly DepartureLog _log;

    public DepartureLogTests()
    {
        _api = new FakeKubernetesApi(_time);
        var pods = new Informer<V1Pod>(_api, new InformerOptions(), _time, new Random(1), NullLogger.Instance);
        _log = new DepartureLog(pods, new OperatorClock(_time));
        _ = _loop.Start(() => pods.RunAsync(_life.Token));
    }

    public void Dispose()
    {
        _life.Cancel();
        _loop.Dispose();
    }

    /// <summary>Removed by force, it may run on until its kubelet has caught up; what its kubelet confirmed needs no look at its node.</summary>
    [Theory]
    [InlineData(false, NodeState.Ready, 9)]
    [InlineData(false, NodeState.NotReady, 0)]
    [InlineData(false, NodeState.Unobserved, 0)]
    [InlineData(true, NodeState.Ready, 9)]
    [InlineData(true, NodeState.NotReady, 9)]
    [InlineData(true, NodeState.Unobserved, 9)]
    public void Only_of_a_node_that_is_seen_ready_does_time_prove_anything_that_was_not_confirmed(bool confirmed, NodeState state, int seconds)
    {
        var owner = new V1StatefulSet { Metadata = new V1ObjectMeta { Name = "db", NamespaceProperty = "shop", Uid = "uid" } };
        var pod = _api.Seed(Objects.Pod("shop", "db-0", "node-1", "10.0.0.1", "container-1", owner));
        if (confirmed) _api.Change<V1Pod>("shop", "db-0", Objects.Terminate);
        _loop.Settle();
        _api.Remove<V1Pod>("shop", "db-0");
        _loop.Settle();
        Assert.Equal(TimeSpan.Zero, Of(pod, state).Age);
        _loop.Pass(TimeSpan.FromSeconds(9), _time.Advance);
        Assert.Equal((confirmed, TimeSpan.FromSeconds(seconds)), (Of(pod, state).ConfirmedByKubelet, Of(pod, state).Age));
    }

    private Departure Of(V1Pod pod, NodeState state) => _log.Of(pod.Uid(), "db-0", "node-1", name => new NodeObservation { Name = name, State = state });
}
