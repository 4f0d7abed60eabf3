namespace FailoverOperator.Tests.Engines;

/// <summary>Real servers keep real time: these tests compose the engine themselves, so they choose its clock, here alone.</summary>
internal static class RealClock
{
#pragma warning disable RS0030
    public static readonly TimeProvider Instance = TimeProvider.System;
#pragma warning restore RS0030
}
