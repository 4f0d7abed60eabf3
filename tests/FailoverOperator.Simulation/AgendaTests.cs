using FailoverOperator.Simulator.Scheduling;

namespace FailoverOperator.Simulation;

/// <summary>What is to come comes in its order, whatever is called off.</summary>
public sealed class AgendaTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_to_come_comes_by_its_moment_and_of_one_moment_as_it_was_put_down(int seed)
    {
        var (random, agenda, number) = (new Random(seed), new Agenda(), 0);
        var expected = new SortedDictionary<(long Ticks, int Number), ScheduledEvent>();
        for (var step = 0; step < 5000; step++)
        {
            switch (random.Next(5))
            {
                case < 3:
                    var (scheduled, ticks) = (new ScheduledEvent(agenda, () => { }), random.NextInt64(50));
                    agenda.Add(scheduled, ticks);
                    expected.Add((ticks, number++), scheduled);
                    break;
                case 3 when expected.Count > 0:
                    Assert.Equal(expected.Keys.First().Ticks, agenda.Next);
                    Assert.Same(expected.Values.First(), agenda.TakeFirst());
                    expected.Remove(expected.Keys.First());
                    break;
                case 4 when expected.Count > 0:
                    var any = expected.ElementAt(random.Next(expected.Count));
                    any.Value.Cancel();
                    any.Value.Cancel();
                    expected.Remove(any.Key);
                    break;
            }
        }
        foreach (var left in expected.Values) Assert.Same(left, agenda.TakeFirst());
        Assert.Equal(long.MaxValue, agenda.Next);
    }
}
