namespace FailoverOperator.Simulator.Scheduling;

/// <summary>
/// What is to come, by its moment, and of one moment in the order in which it was put down. A heap of four branches in which everything knows its
/// place, so that what is called off leaves it at once: most of what is scheduled are deadlines, and most of these are met.
/// </summary>
internal sealed class Agenda
{
    private const int Branches = 4;

    private Entry[] _entries = new Entry[64];
    private int _count;
    private long _added;

    /// <summary>The moment of the first. <see cref="long.MaxValue"/>: there is nothing.</summary>
    public long Next => _count == 0 ? long.MaxValue : _entries[0].Ticks;

    public void Add(ScheduledEvent scheduled, long ticks)
    {
        if (_count == _entries.Length) Array.Resize(ref _entries, _count * 2);
        Rise(_count++, new Entry(ticks, ++_added, scheduled));
    }

    public ScheduledEvent TakeFirst()
    {
        var first = _entries[0].Event;
        RemoveAt(0);
        return first;
    }

    /// <summary>Nothing, if it is not there any more.</summary>
    public void Remove(ScheduledEvent scheduled)
    {
        if (scheduled.Place >= 0) RemoveAt(scheduled.Place);
    }

    private void RemoveAt(int place)
    {
        _entries[place].Event.Place = -1;
        var last = _entries[--_count];
        _entries[_count] = default;
        if (place == _count) return;
        if (place > 0 && last.IsBefore(_entries[(place - 1) / Branches])) Rise(place, last);
        else Sink(place, last);
    }

    private void Rise(int place, in Entry entry)
    {
        while (place > 0)
        {
            var parent = (place - 1) / Branches;
            if (!entry.IsBefore(_entries[parent])) break;
            Put(place, _entries[parent]);
            place = parent;
        }
        Put(place, entry);
    }

    private void Sink(int place, in Entry entry)
    {
        for (var child = (place * Branches) + 1; child < _count; child = (place * Branches) + 1)
        {
            var least = child;
            for (var other = child + 1; other < Math.Min(child + Branches, _count); other++)
                if (_entries[other].IsBefore(_entries[least])) least = other;
            if (!_entries[least].IsBefore(entry)) break;
            Put(place, _entries[least]);
            place = least;
        }
        Put(place, entry);
    }

    private void Put(int place, in Entry entry)
    {
        _entries[place] = entry;
        entry.Event.Place = place;
    }

    private readonly record struct Entry(long Ticks, long Number, ScheduledEvent Event)
    {
        public bool IsBefore(in Entry other) => Ticks < other.Ticks || (Ticks == other.Ticks && Number < other.Number);
    }
}
