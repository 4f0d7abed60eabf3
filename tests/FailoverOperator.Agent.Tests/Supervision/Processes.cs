using FailoverOperator.Agent.Supervision;

namespace FailoverOperator.Agent.Tests.Supervision;

/// <summary>
/// Tests with real processes take turns, and nothing else runs meanwhile: a supervisor reaps every child of this process, and
/// kills every descendant.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Processes : ICollectionFixture<Processes>, IAsyncLifetime
{
    public const string Name = "processes";

    public Supervisor Supervisor { get; private set; } = null!;

    public ValueTask InitializeAsync()
    {
        Supervisor = new Supervisor(RealClock.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Supervisor.KillAllAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
        Supervisor.Dispose();
    }

    public static ProcessCommand Shell(string script, params string[] arguments) => new("bash", ["-c", script, "bash", .. arguments]);
}
