using FailoverOperator.Runtime.Controllers;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.Runtime.Queueing;
using FailoverOperator.Testing;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Result = FailoverOperator.Runtime.Controllers.ReconciliationResult<k8s.Models.V1ConfigMap>;

namespace FailoverOperator.Tests.Runtime;

public sealed class ControllerHostTests : IDisposable
{
    private readonly TestLoop _loop = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeKubernetesApi _api;
    private readonly Informer<V1ConfigMap> _informer;
    private readonly Informer<V1Pod> _pods;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ScriptedController _controller = new();
    private readonly CancellationTokenSource _stop = new();

    public ControllerHostTests()
    {
        _api = new(_time);
        _informer = new(_api, new(), _time, new Random(1), NullLogger.Instance);
        _pods = new(_api, new(), _time, new Random(2), NullLogger.Instance);
        _queue = new(new(), _time, new Random(3));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _loop.Dispose();
        _queue.Dispose();
    }

    [Fact]
    public void Looks_at_each_change_and_again_when_asked_to()
    {
        _controller.Next(entity => Result.Success(entity, TimeSpan.FromSeconds(5)));
        _ = Start();
        Seed("a");
        _loop.Settle();
        Assert.Equal(["reconcile a"], _controller.Log);
        Pass(4.9);
        Assert.Single(_controller.Log);
        Pass(0.2);
        Assert.Equal(2, _controller.Log.Count);
        Pass(60);
        Assert.Equal(2, _controller.Log.Count);
    }

    [Fact]
    public void Tries_failures_and_exceptions_again_with_backoff()
    {
        _controller.Next(entity => Result.Failure(entity, "not yet"));
        _controller.Next(_ => throw new InvalidOperationException("a defect"));
        _controller.Next(_ => throw new KubernetesApiException(ApiFailure.Conflict, "changed"));
        _ = Start();
        Seed("a");
        Pass(0.04);
        Assert.Single(_controller.Log);
        Pass(2);
        Assert.Equal(4, _controller.Log.Count);
        Pass(60);
        Assert.Equal(4, _controller.Log.Count);
    }

    [Fact]
    public void Cancels_what_takes_too_long_and_tries_again()
    {
        _controller.NextAsync(async (entity, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, token);
            return Result.Success(entity);
        });
        _ = Start();
        Seed("a");
        Pass(59);
        Assert.Single(_controller.Log);
        Pass(2);
        Assert.Equal(["reconcile a", "reconcile a"], _controller.Log);
    }

    [Fact]
    public void Tells_of_a_deletion_until_it_is_taken_in()
    {
        _ = Start();
        Seed("a");
        _loop.Settle();
        _controller.Next(_ => throw new InvalidOperationException("a defect"));
        _controller.Next(entity => Result.Failure(entity, "not yet"));
        _api.Remove<V1ConfigMap>("ns", "a");
        Pass(60);
        Assert.Equal(["reconcile a", "deleted a", "deleted a", "deleted a"], _controller.Log);
    }

    [Fact]
    public void Tells_of_a_predecessors_end_before_its_successor()
    {
        _ = Start();
        Seed("a");
        _loop.Settle();
        _api.Remove<V1ConfigMap>("ns", "a");
        Seed("a");
        _loop.Settle();
        Assert.Equal(["reconcile a", "deleted a", "reconcile a"], _controller.Log);
    }

    [Fact]
    public void Another_kinds_objects_wake_the_entities_they_belong_to_now_and_before()
    {
        _ = Start(host => host.Watch(_pods, pod => [new("ns", pod.Metadata.Labels["of"])]));
        _ = _loop.Start(() => _pods.RunAsync(_stop.Token));
        Seed("a");
        Seed("b");
        _loop.Settle();
        _controller.Log.Clear();
        _ = _api.Seed(new V1Pod { Metadata = new() { Name = "p", NamespaceProperty = "ns", Labels = Of("a") } });
        _loop.Settle();
        Assert.Equal(["reconcile a"], _controller.Log);
        _ = _api.Change<V1Pod>("ns", "p", pod => pod.Metadata.Labels = Of("b"));
        _loop.Settle();
        Assert.Equal(["reconcile a", "reconcile a", "reconcile b"], _controller.Log.Order());
    }

    [Fact]
    public void Never_works_on_one_entity_twice_at_a_time()
    {
        var gate = new TaskCompletionSource();
        _controller.NextAsync(async (entity, _) =>
        {
            await gate.Task;
            return Result.Success(entity);
        });
        _ = Start();
        Seed("a");
        _loop.Settle();
        _ = _api.Change<V1ConfigMap>("ns", "a", item => item.Data = new Dictionary<string, string> { ["v"] = "2" });
        Seed("b");
        _loop.Settle();
        Assert.Equal(["reconcile a", "reconcile b"], _controller.Log);
        gate.SetResult();
        _loop.Settle();
        Assert.Equal(["reconcile a", "reconcile b", "reconcile a"], _controller.Log);
    }

    [Fact]
    public void Stops_acting_at_once_when_leadership_is_lost()
    {
        var finished = false;
        _controller.NextAsync(async (entity, token) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(5), _time, token);
            finished = true;
            return Result.Success(entity);
        });
        using var leading = new CancellationTokenSource();
        var (host, running) = Start(leading: leading.Token);
        Seed("a");
        _loop.Settle();
        Assert.True(host.IsAlive);
        leading.Cancel();
        _loop.Finish(running);
        Seed("b");
        Pass(60);

        Assert.False(finished);
        Assert.False(host.IsAlive);
        Assert.Equal(["reconcile a"], _controller.Log);
    }

    [Fact]
    public void A_finalizer_is_put_on_first_and_taken_off_after_its_success()
    {
        var finalizer = new ScriptedFinalizer();
        finalizer.Results.Enqueue(entity => Result.Failure(entity, "not yet"));
        _ = Start(finalizer: finalizer);
        _ = _api.Seed(new V1ConfigMap { Metadata = new() { Name = "a", NamespaceProperty = "ns", Finalizers = ["other.io/f"] } });
        _loop.Settle();
        Assert.Equal(["other.io/f", "failover-operator.io/finalizer"], Peek()!.Metadata.Finalizers);
        Assert.All(_controller.Seen, entity => Assert.Contains("failover-operator.io/finalizer", entity.Metadata.Finalizers));

        _loop.Finish(_api.DeleteAsync<V1ConfigMap>("ns", "a", new(), CancellationToken.None));
        Pass(5);
        Assert.Equal(2, finalizer.Calls);
        Assert.Equal(["other.io/f"], Peek()!.Metadata.Finalizers);
        Assert.DoesNotContain("deleted a", _controller.Log);
    }

    private V1ConfigMap? Peek() => _api.Peek<V1ConfigMap>("ns", "a");

    private (ControllerHost<V1ConfigMap> Host, Task Running) Start(
        Action<ControllerHost<V1ConfigMap>>? configure = null, IEntityFinalizer<V1ConfigMap>? finalizer = null, CancellationToken? leading = null)
    {
        var host = new ControllerHost<V1ConfigMap>(
            _informer, _queue, _controller, _api, new ControllerOptions { Workers = 2 }, _time, NullLogger.Instance, finalizer).WatchOwn();
        configure?.Invoke(host);
        _ = _loop.Start(() => _informer.RunAsync(_stop.Token));
        return (host, _loop.Start(() => host.RunAsync(leading ?? _stop.Token)));
    }

    private void Pass(double seconds) => _loop.Pass(TimeSpan.FromSeconds(seconds), _time.Advance);

    private void Seed(string name) => _api.Seed(new V1ConfigMap { Metadata = new() { Name = name, NamespaceProperty = "ns" } });

    private static Dictionary<string, string> Of(string name) => new() { ["of"] = name };

    private sealed class ScriptedController : IEntityController<V1ConfigMap>
    {
        private readonly Queue<Func<V1ConfigMap, CancellationToken, Task<Result>>> _script = [];

        public List<string> Log { get; } = [];

        public List<V1ConfigMap> Seen { get; } = [];

        public void Next(Func<V1ConfigMap, Result> result) => NextAsync((entity, _) => Task.FromResult(result(entity)));

        public void NextAsync(Func<V1ConfigMap, CancellationToken, Task<Result>> result) => _script.Enqueue(result);

        public Task<Result> ReconcileAsync(V1ConfigMap entity, CancellationToken cancellationToken)
        {
            Seen.Add(entity);
            return Answer("reconcile", entity, cancellationToken);
        }

        public Task<Result> DeletedAsync(V1ConfigMap entity, CancellationToken cancellationToken) => Answer("deleted", entity, cancellationToken);

        private Task<Result> Answer(string what, V1ConfigMap entity, CancellationToken cancellationToken)
        {
            Log.Add($"{what} {entity.Metadata.Name}");
            return _script.TryDequeue(out var next) ? next(entity, cancellationToken) : Task.FromResult(Result.Success(entity));
        }
    }

    private sealed class ScriptedFinalizer : IEntityFinalizer<V1ConfigMap>
    {
        public Queue<Func<V1ConfigMap, Result>> Results { get; } = [];

        public int Calls { get; private set; }

        public Task<Result> FinalizeAsync(V1ConfigMap entity, CancellationToken cancellationToken)
        {
            Calls++;
            return Task.FromResult(Results.TryDequeue(out var next) ? next(entity) : Result.Success(entity));
        }
    }
}
