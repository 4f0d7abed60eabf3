using System.Diagnostics;

namespace FailoverOperator.TestBed;

/// <summary>Waits for something to become true, never longer than a deadline.</summary>
public static class Poll
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Asks until the answer is not null.</summary>
    /// <param name="what">Completes "timed out waiting for …".</param>
    /// <param name="describe">Says what was seen last, for the message.</param>
    /// <param name="last">The same in a few words, for the message's first line: all that is left of it where many tests are reported.</param>
    /// <param name="pause">Between two questions; null: 250 ms.</param>
    public static async Task<T> UntilAsync<T>(
        string what, TimeSpan deadline, Func<Task<T?>> ask, Func<Task<string>>? describe = null, Func<string>? last = null, TimeSpan? pause = null)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await ask() is { } answer) return answer;
            if (watch.Elapsed > deadline)
                throw new TimeoutException($"timed out after {deadline.TotalSeconds:0} s waiting for {what}{(last is null ? "" : $"; {last()}")}{(describe is null ? "" : "\n" + await describe())}");
            await Task.Delay(pause ?? Pause);
        }
    }

    public static Task UntilAsync(string what, TimeSpan deadline, Func<Task<bool>> ask, Func<Task<string>>? describe = null, TimeSpan? pause = null) =>
        UntilAsync(what, deadline, async () => await ask() ? "yes" : null, describe, pause: pause);

    /// <summary>Asks for a whole period and fails as soon as the answer is no: for what must stay as it is.</summary>
    public static async Task StaysAsync(string what, TimeSpan period, Func<Task<bool>> ask, TimeSpan? pause = null)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < period; await Task.Delay(pause ?? Pause))
        {
            if (!await ask()) throw new InvalidOperationException($"expected for {period.TotalSeconds:0} s: {what}; it ended after {watch.Elapsed.TotalSeconds:0.0} s");
        }
    }
}
