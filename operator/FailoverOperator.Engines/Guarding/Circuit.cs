using System.Globalization;
using FailoverOperator.Core.Observations;
using Polly;
using Polly.CircuitBreaker;

namespace FailoverOperator.Engines.Guarding;

/// <summary>When a circuit opens, and for how long.</summary>
/// <param name="OpensAfter">It must have kept failing for so long; beside that, twice.</param>
/// <param name="FirstPause">Twice as long after each trial that failed, too.</param>
/// <param name="LongestPause">The pause does not grow beyond this.</param>
public sealed record CircuitSettings(TimeSpan OpensAfter, TimeSpan FirstPause, TimeSpan LongestPause);

/// <summary>
/// One operation on one member that has just failed. It is made with the first failure and thrown away with the first success, so that whatever works
/// costs nothing. While it is open nothing is tried; then one trial shows whether it goes on.
/// </summary>
/// <param name="failureOf">The failure in words. Null: it is none.</param>
/// <param name="time">Its wall clock must never step: a pause would be as much longer.</param>
internal sealed class Circuit<T>(GuardedOperation operation, CircuitSettings settings, Func<T, string?> failureOf, TimeProvider time)
    where T : class
{
    /// <summary>Failures that lie further apart than this are not a series. The longest that a breaker can be told to remember.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private readonly CircuitBreakerStateProvider _state = new();
    private readonly DateTimeOffset _failingSince = time.GetUtcNow();
    private ResiliencePipeline<T>? _pipeline;
    private volatile Pause? _pause;
    private int _pauses;

    /// <summary>Null: it is closed.</summary>
    public CircuitObservation? Open
    {
        get
        {
            if (_state.CircuitState == CircuitState.Closed || _pause is not { } pause) return null;
            var rest = pause.Until - time.GetUtcNow();
            return new(operation, rest > TimeSpan.Zero ? rest : TimeSpan.Zero,
                pause.Until.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), pause.Failure);
        }
    }

    /// <returns>Null: it was not tried, see <see cref="Open"/>.</returns>
    public async Task<T?> TryAsync(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() - _failingSince < settings.OpensAfter) return await call(cancellationToken);
        // Whoever calls goes on where it was: in a simulation that is the order of things.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellationToken);
        try
        {
            var outcome = await (_pipeline ??= Pipeline()).ExecuteOutcomeAsync(RunAsync, context, call);
            if (outcome.Exception is BrokenCircuitException) return null;
            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static async ValueTask<Outcome<T>> RunAsync(ResilienceContext context, Func<CancellationToken, Task<T>> call)
    {
        try
        {
            return Outcome.FromResult(await call(context.CancellationToken));
        }
        catch (OperationCanceledException e)
        {
            return Outcome.FromException<T>(e);
        }
    }

    private ResiliencePipeline<T> Pipeline() => new ResiliencePipelineBuilder<T> { TimeProvider = time }.AddCircuitBreaker(new CircuitBreakerStrategyOptions<T>
    {
        // A success throws the circuit away: beside failures there are only calls that were given up, which say nothing.
        FailureRatio = 0.01,
        MinimumThroughput = 2,
        SamplingDuration = Memory,
        StateProvider = _state,
        ShouldHandle = args => ValueTask.FromResult(Counts(args.Outcome.Result)),
        BreakDurationGenerator = _ => ValueTask.FromResult(NextPause()),
    }).Build();

    private bool Counts(T? result)
    {
        if (result is null || failureOf(result) is not { } failure) return false;
        _pause = new(_pause?.Until ?? time.GetUtcNow(), failure);
        return true;
    }

    private TimeSpan NextPause()
    {
        var grown = settings.FirstPause * Math.Pow(2, Math.Min(_pauses++, 20));
        var length = grown < settings.LongestPause ? grown : settings.LongestPause;
        _pause = new(time.GetUtcNow() + length, _pause!.Failure);
        return length;
    }

    private sealed record Pause(DateTimeOffset Until, string Failure);
}
