using System.Collections.Concurrent;
using FailoverOperator.Runtime.Informers;
using FailoverOperator.Runtime.Kubernetes;
using FailoverOperator.TestBed;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverOperator.Integration;

/// <summary>An informer keeps up with a real server.</summary>
public sealed class InformerTests(ApiServerFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sees_what_was_there_and_every_change_in_order()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var before = await fixture.Api.CreateAsync(Samples.ConfigMap(scope, "before"), Token);
        var seen = new ConcurrentQueue<string>();
        await RunAsync(scope, seen, TimeSpan.FromMinutes(5), async () =>
        {
            await fixture.Api.MergePatchAsync<V1ConfigMap>(scope, "before", new { data = new { value = "2" } }, Token);
            await fixture.Api.CreateAsync(Samples.ConfigMap(scope, "after"), Token);
            await fixture.Api.DeleteAsync<V1ConfigMap>(scope, "before", new DeleteOptions(before.Metadata.Uid), Token);
            await WaitForAsync(seen, 4);
        });

        Assert.Equal(["Added before 1", "Updated before 2", "Added after 1", "Deleted before 2"], seen);
    }

    [Fact]
    public async Task Watches_again_when_the_server_ends_a_watch_and_misses_nothing()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var seen = new ConcurrentQueue<string>();
        await RunAsync(scope, seen, TimeSpan.FromSeconds(1), async () =>
        {
            // Some seconds of changes over several watches of one second each.
            for (var i = 0; i < 30; i++)
            {
                await fixture.Api.CreateAsync(Samples.ConfigMap(scope, $"item-{i:00}"), Token);
                await Task.Delay(TimeSpan.FromMilliseconds(100), Token);
            }
            await WaitForAsync(seen, 30);
        });

        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"Added item-{i:00} 1"), seen);
    }

    private async Task RunAsync(string scope, ConcurrentQueue<string> seen, TimeSpan watchTimeout, Func<Task> act)
    {
        var informer = new Informer<V1ConfigMap>(
            fixture.Api, new InformerOptions { Namespace = scope, Selection = new ListOptions(LabelSelector: "kind=sample"), WatchTimeout = watchTimeout },
            TimeProvider.System, new Random(1), NullLogger.Instance);
        informer.Subscribe(change => seen.Enqueue($"{change.Change} {change.Current.Metadata.Name} {change.Current.Data["value"]}"));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = informer.RunAsync(end.Token);
        await informer.WaitForSyncAsync(Token).WaitAsync(Deadline, Token);
        await act();
        await end.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private static Task WaitForAsync(ConcurrentQueue<string> seen, int count) =>
        Poll.UntilAsync($"{count} changes", Deadline, () => Task.FromResult(seen.Count >= count), () => Task.FromResult(string.Join('\n', seen)));
}
