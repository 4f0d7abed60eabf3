namespace FailoverOperator.Agent.Tests;

/// <summary>Where real processes and sockets are tested.</summary>
internal static class RealClock
{
#pragma warning disable RS0030
    public static readonly TimeProvider Instance = TimeProvider.System;
#pragma warning restore RS0030
}
