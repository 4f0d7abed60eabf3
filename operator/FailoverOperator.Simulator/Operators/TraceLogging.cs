using Microsoft.Extensions.Logging;

namespace FailoverOperator.Simulator.Operators;

/// <summary>What the operator logs, in the trace.</summary>
internal sealed class TraceLogging(SimulatedWorld world, string machine) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new TraceLogger(world, machine);

    public void Dispose()
    {
    }

    private sealed class TraceLogger(SimulatedWorld world, string machine) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => world.Trace.IsRecording && logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) world.Trace.Remark(machine, formatter(state, exception) + (exception is null ? "" : $" {exception}"));
        }
    }
}
