using FailoverOperator.Api.Failovers;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Cli.Cluster;
using FailoverOperator.Cli.CommandLine;
using k8s.Models;
using Spectre.Console;

namespace FailoverOperator.Integration;

/// <summary>kubectl-failover against a real API server: the kubeconfig, the selectors, the CRDs' own checks.</summary>
public sealed class CliTests(ApiServerFixture fixture)
{
    private const string Group = """
        apiVersion: failover-operator.io/v1alpha1
        kind: RedundancyGroup
        metadata: { name: db }
        spec: { workloadRef: { name: redis }, engine: { type: Redis } }
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_operator_wrote_is_what_is_shown()
    {
        var namespaceName = await NewGroupAsync();
        await fixture.Api.CreateAsync(Samples.Failover(namespaceName, "db", 7), Token);
        await TellAsync(namespaceName, "db", "it has begun");
        await TellAsync(namespaceName, "other", "nothing of this");

        Assert.Equal((1, "db-1"), await RunAsync($"status db -n {namespaceName} -o json", "db-1"));
        Assert.Equal((0, "db-0-7"), await RunAsync($"history db -n {namespaceName}", "db-0-7"));
        Assert.Equal((1, "at phase Pending"), await RunAsync($"explain db -n {namespaceName}", "at phase Pending"));
        Assert.Equal((0, "it has begun"), await RunAsync($"events -n {namespaceName}", "it has begun"));
        Assert.DoesNotContain("nothing of this", (await RunAsync($"events db -n {namespaceName}", "no such text")).Found);
    }

    [Fact]
    public async Task A_watch_tells_what_comes()
    {
        var namespaceName = await NewGroupAsync();
        var connection = Connect(new ClusterChoice(fixture.Server.Kubeconfig, Namespace: namespaceName));
        await using var events = new EventReader(connection.Api, TimeProvider.System, namespaceName,
            "db").FollowAsync(Token).GetAsyncEnumerator(Token);
        await TellAsync(namespaceName, "db", "one");
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("one", events.Current.Note);
        var next = events.MoveNextAsync();
        await TellAsync(namespaceName, "db", "two");
        Assert.True(await next);
        Assert.Equal("two", events.Current.Note);
    }

    [Fact]
    public async Task A_request_is_one_that_the_API_server_takes()
    {
        var namespaceName = await NewGroupAsync();
        Assert.Equal((0, "is asked for"), await RunAsync($"switchover db --to db-1 --reason \"new disks\" -n {namespaceName}", "is asked for"));
        var request = Assert.Single((await fixture.Api.ListAsync<Failover>(namespaceName, Runtime.Kubernetes.ListOptions.All, Token)).Items);
        Assert.Equal(("db-1", "new disks", "db-1", 0L), (request.Spec.Target, request.Spec.Reason, request.Spec.ExpectedHolder, request.Spec.Term));
    }

    [Fact]
    public async Task Who_is_not_known_or_finds_nobody_is_exit_code_3()
    {
        var stranger = (await File.ReadAllTextAsync(fixture.Server.Kubeconfig, Token)).Replace("token: \"test\"", "token: \"stranger\"",
            StringComparison.Ordinal);
        Assert.Equal((3, "does not allow it"), await RunAsync("status", "does not allow it", await WriteAsync(stranger)));
        const string nobody = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{ name: c, context: { cluster: c, user: u } }]\n"
            + "clusters: [{ name: c, cluster: { server: \"https://127.0.0.1:1\" } }]\nusers: [{ name: u, user: { token: t } }]\n";
        Assert.Equal((3, "cannot be reached"), await RunAsync("status", "cannot be reached", await WriteAsync(nobody)));
    }

    private static async Task<string> WriteAsync(string kubeconfig)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("failover-cli-").FullName, "config");
        await File.WriteAllTextAsync(path, kubeconfig, Token);
        return path;
    }

    private static ClusterConnection Connect(ClusterChoice choice) =>
        new ClusterConnector(TimeProvider.System, new Random(1), _ => null).Connect(choice, _ => { });

    /// <summary>The exit code, and the expected text if it was there, else all that was.</summary>
    private async Task<(int ExitCode, string Found)> RunAsync(string command, string expected, string? kubeconfig = null)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = 300;
        var exitCode = await FailoverCli.RunAsync(
            [.. System.CommandLine.Parsing.CommandLineParser.SplitCommandLine($"{command} --kubeconfig {kubeconfig ?? fixture.Server.Kubeconfig}")],
            new CliHost
            {
                Connect = (choice, _) => Connect(choice),
                Time = TimeProvider.System,
                Output = output,
                Error = output,
                Console = console,
                ReadFile = File.ReadAllText,
            }, Token);
        return (exitCode, output.ToString().Contains(expected, StringComparison.Ordinal) ? expected : output.ToString());
    }

    private async Task<string> NewGroupAsync()
    {
        var namespaceName = await fixture.CreateNamespaceAsync();
        await fixture.Server.Kubectl.In(namespaceName).ApplyAsync(Group);
        var group = await fixture.Api.GetAsync<RedundancyGroup>(namespaceName, "db", Token);
        group!.Status = new RedundancyGroupStatus
        {
            Slots = [new SlotStatus { Name = "0", Holder = "db-1", Term = 7 }],
            FailoverReadiness = new FailoverReadiness { Ready = true, Candidate = "db-0", Reason = "Ready", Message = "db-0 would take over" },
        };
        await fixture.Api.ReplaceStatusAsync(group, Token);
        return namespaceName;
    }

    private Task TellAsync(string namespaceName, string group, string note) => fixture.Api.CreateAsync(new Eventsv1Event
    {
        Metadata = new V1ObjectMeta { Name = $"{group}.{note.Replace(' ', '-')}", NamespaceProperty = namespaceName },
        EventTime = DateTime.UtcNow,
        ReportingController = "failover-operator.io/operator",
        ReportingInstance = "test",
        Action = "Test",
        Reason = "FailoverStarted",
        Type = "Normal",
        Note = note,
        Regarding = new V1ObjectReference
        {
            ApiVersion = "failover-operator.io/v1alpha1",
            Kind = "RedundancyGroup",
            Name = group,
            NamespaceProperty = namespaceName,
        },
    }, Token);
}
