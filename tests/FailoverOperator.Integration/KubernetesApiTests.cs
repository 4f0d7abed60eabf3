using FailoverOperator.Api.Failovers;
using FailoverOperator.Runtime.Kubernetes;
using k8s.Models;

namespace FailoverOperator.Integration;

/// <summary>What the real server answers is what <see cref="IKubernetesApi"/> promises.</summary>
public sealed class KubernetesApiTests(ApiServerFixture fixture)
{
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromSeconds(20);

    private IKubernetesApi Api => fixture.Api;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_does_not_exist_is_null()
    {
        Assert.Null(await Api.GetAsync<V1ConfigMap>(await fixture.CreateNamespaceAsync(), "absent", Token));
    }

    [Fact]
    public async Task Only_one_creation_of_a_name_wins()
    {
        var scope = await fixture.CreateNamespaceAsync();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => FailureOfAsync(() => Api.CreateAsync(Samples.Failover(scope, "orders", 7), Token))));

        Assert.Single(outcomes, outcome => outcome is null);
        Assert.Equal(7, outcomes.Count(outcome => outcome == ApiFailure.AlreadyExists));
    }

    [Fact]
    public async Task A_replacement_of_an_old_version_is_a_conflict_and_changes_nothing()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var old = await Api.CreateAsync(Samples.ConfigMap(scope, "a"), Token);
        var newer = EntityJson.Copy(old);
        newer.Data["value"] = "2";
        await Api.ReplaceAsync(newer, Token);

        old.Data["value"] = "3";

        Assert.Equal(ApiFailure.Conflict, await FailureOfAsync(() => Api.ReplaceAsync(old, Token)));
        Assert.Equal("2", (await Api.GetAsync<V1ConfigMap>(scope, "a", Token))!.Data["value"]);
    }

    [Fact]
    public async Task The_status_is_written_apart_from_the_spec()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var failover = await Api.CreateAsync(Samples.Failover(scope, "orders", 1), Token);
        failover.Spec = failover.Spec with { Term = 99 };
        failover.Status = new FailoverStatus { Phase = FailoverPhase.Fencing };

        await Api.ReplaceStatusAsync(failover, Token);

        var stored = await Api.GetAsync<Failover>(scope, failover.Metadata.Name, Token);
        Assert.Equal((1L, FailoverPhase.Fencing), (stored!.Spec.Term, stored.Status!.Phase));
        Assert.Equal(ApiFailure.Conflict, await FailureOfAsync(() => Api.ReplaceStatusAsync(failover, Token)));
    }

    [Fact]
    public async Task A_patch_is_guarded_by_version_and_by_identity()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var created = await Api.CreateAsync(Samples.ConfigMap(scope, "a"), Token);
        Task<V1ConfigMap> Patch(object metadata) => Api.MergePatchAsync<V1ConfigMap>(scope, "a", new { metadata, data = new { value = "2" } }, Token);

        Assert.Equal(ApiFailure.Conflict, await FailureOfAsync(() => Patch(new { resourceVersion = "1" })));
        Assert.Equal(ApiFailure.Conflict, await FailureOfAsync(() => Patch(new { uid = "00000000-0000-0000-0000-000000000000" })));
        Assert.Equal("2", (await Patch(new { resourceVersion = created.Metadata.ResourceVersion, uid = created.Metadata.Uid })).Data["value"]);
    }

    [Fact]
    public async Task Only_the_incarnation_that_was_meant_is_deleted()
    {
        var scope = await fixture.CreateNamespaceAsync();
        var created = await Api.CreateAsync(Samples.ConfigMap(scope, "a"), Token);

        Assert.Equal(ApiFailure.Conflict, await FailureOfAsync(() => DeleteAsync("00000000-0000-0000-0000-000000000000")));
        await DeleteAsync(created.Metadata.Uid);
        Assert.Equal(ApiFailure.NotFound, await FailureOfAsync(() => DeleteAsync(created.Metadata.Uid)));

        Task DeleteAsync(string uid) => Api.DeleteAsync<V1ConfigMap>(scope, "a", new DeleteOptions(uid), Token);
    }

    [Fact]
    public async Task An_invalid_object_is_refused_for_good()
    {
        var scope = await fixture.CreateNamespaceAsync();

        Assert.Equal(ApiFailure.Invalid, await FailureOfAsync(() => Api.CreateAsync(Samples.ConfigMap(scope, "Not A Name"), Token)));
    }

    [Fact]
    public async Task A_list_has_all_pages_and_the_version_to_watch_from()
    {
        var scope = await fixture.CreateNamespaceAsync();
        for (var i = 0; i < 3; i++) await Api.CreateAsync(Samples.ConfigMap(scope, $"a-{i}"), Token);

        var list = await Api.ListAsync<V1ConfigMap>(scope, new ListOptions(LabelSelector: "kind=sample"), Token);
        await Api.CreateAsync(Samples.ConfigMap(scope, "b"), Token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var notice = await FirstAsync(Api.WatchAsync<V1ConfigMap>(scope, list.ResourceVersion, ListOptions.All, WatchTimeout, enough.Token));

        Assert.Equal(["a-0", "a-1", "a-2"], list.Items.Select(item => item.Metadata.Name));
        Assert.All(list.Items, item => Assert.Equal("ConfigMap", item.Kind));
        Assert.Equal((WatchNoticeType.Added, "b"), (notice.Type, notice.Entity.Metadata.Name));
    }

    [Fact]
    public async Task A_watch_from_a_forgotten_version_has_expired()
    {
        var scope = await fixture.CreateNamespaceAsync();

        Assert.Equal(ApiFailure.Expired, await FailureOfAsync(() => FirstAsync(Api.WatchAsync<Failover>(scope, "1", ListOptions.All, WatchTimeout, Token))));
    }

    [Fact]
    public async Task Tells_what_the_server_serves()
    {
        Assert.True(await Api.IsServedAsync("failover-operator.io", "v1alpha1", "failovers", Token));
        Assert.False(await Api.IsServedAsync("failover-operator.io", "v1alpha1", "failoverdrills", Token));
        Assert.False(await Api.IsServedAsync("absent.io", "v1", "things", Token));
    }

    private static async Task<ApiFailure?> FailureOfAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (KubernetesApiException failure)
        {
            Assert.NotEmpty(failure.Message);
            return failure.Failure;
        }
    }

    private static async Task<WatchNotice<T>> FirstAsync<T>(IAsyncEnumerable<WatchNotice<T>> watch)
    {
        await foreach (var notice in watch)
        {
            if (notice.Type != WatchNoticeType.Bookmark) return notice;
        }
        throw new InvalidOperationException("the watch ended and said nothing");
    }
}
