namespace FailoverOperator.Agent.Tests;

/// <summary>Where real processes and sockets are tested.</summary>
internal static class RealClock
{
#pragma warning disable RS0030
    public static readonly TimeProvider Instance = TimeProvider.System;
#pragma warning restore RS0030

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Looks every few milliseconds, and fails if it is not so for long.</summary>
    public static async Task UntilAsync(string what, Func<bool> isSo)
    {
        for (var since = Instance.GetTimestamp(); !isSo(); await Task.Delay(TimeSpan.FromMilliseconds(2), Instance, TestContext.Current.CancellationToken))
            Assert.True(Instance.GetElapsedTime(since) < Deadline, $"not within {Deadline.TotalSeconds} s: {what}");
    }
}
