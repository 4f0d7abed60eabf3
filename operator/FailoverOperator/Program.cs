using FailoverOperator.Hosting;

OperatorSettings settings;
try
{
    settings = OperatorSettings.Read(Environment.GetEnvironmentVariable);
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"error: {e.Message}");
    return 2;
}
// The one place that chooses the clock and the seed of chance.
#pragma warning disable RS0030
await using var app = Composition.Build(settings, TimeProvider.System, Random.Shared.Next());
#pragma warning restore RS0030
await app.RunAsync();
return 0;
