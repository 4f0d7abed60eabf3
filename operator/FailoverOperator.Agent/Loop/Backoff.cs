namespace FailoverOperator.Agent.Loop;

/// <summary>Pauses between tries: each twice as long as the one before, up to a bound, and of random length, lest all agents try at once.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    private int _doubled;

    public TimeSpan Next()
    {
        var pause = first * Math.Pow(2, _doubled);
        if (pause < longest) _doubled++;
        else pause = longest;
        return pause * (0.5 + (random.NextDouble() / 2));
    }

    public void Reset() => _doubled = 0;
}
