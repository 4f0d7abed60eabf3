using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using FailoverOperator.Api.RedundancyGroups;
using FailoverOperator.Engines;
using FailoverOperator.Runtime.Informers;
using k8s.Models;

namespace FailoverOperator.Observing;

/// <summary>Makes an engine for a slot of a group. The callback is told the UID of a pod whose connection has just broken.</summary>
public delegate IEngine EngineMaker(RedundancyGroup group, string slot, GroupCredentials credentials, Action<string> onDisturbed);

/// <summary>Keeps one session for each slot of each group, and makes it anew when the way to its members has changed.</summary>
public sealed class GroupSessions(EngineMaker makeEngine, OperatorClock clock) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(ObjectKey Group, string Slot), Opened> _sessions = new();

    /// <summary>Which slots of a group have sessions: each look at one group asks, and must not walk through all others.</summary>
    private readonly ConcurrentDictionary<ObjectKey, ImmutableList<string>> _slots = new();

    /// <summary>Called from one reconciliation at a time for each slot.</summary>
    /// <param name="onNews">Called when a member has told something new.</param>
    public async Task<GroupSession> OpenAsync(RedundancyGroup group, string slot, GroupCredentials credentials, Action onNews)
    {
        var key = (new ObjectKey(group.Namespace(), group.Name()), slot);
        // A cached object that is the same has not changed.
        if (_sessions.TryGetValue(key, out var last) && ReferenceEquals(last.Group, group) && last.Credentials == credentials) return last.Session;
        var way = JsonSerializer.Serialize(new { uid = group.Uid(), group.Spec.Engine, group.Spec.Agent, group.Spec.Detection, group.Spec.Targets, credentials });
        if (_sessions.TryGetValue(key, out var known))
        {
            if (known.Way == way)
            {
                _sessions[key] = known with { Group = group, Credentials = credentials };
                return known.Session;
            }
            await CloseAsync(key);
        }
        GroupSession? session = null;
        session = new GroupSession(slot, group.Spec, makeEngine(group, slot, credentials, uid => session?.Prober.Hurry(uid)), clock, onNews);
        _sessions[key] = new(way, session, group, credentials);
        _slots.AddOrUpdate(key.Item1, _ => [slot], (_, others) => others.Contains(slot) ? others : others.Add(slot));
        return session;
    }

    /// <summary>Those of all slots of the group, except of <paramref name="but"/>.</summary>
    public async Task CloseAsync(ObjectKey group, IReadOnlyCollection<string>? but = null)
    {
        foreach (var slot in _slots.GetValueOrDefault(group, []))
            if (but?.Contains(slot) != true) await CloseAsync((group, slot));
    }

    private async Task CloseAsync((ObjectKey Group, string Slot) key)
    {
        if (!_sessions.TryRemove(key, out var known)) return;
        if (_slots.AddOrUpdate(key.Group, [], (_, slots) => slots.Remove(key.Slot)).IsEmpty) _slots.TryRemove(KeyValuePair.Create(key.Group, ImmutableList<string>.Empty));
        await known.Session.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var key in _sessions.Keys) await CloseAsync(key);
    }

    /// <param name="Way">All that the way to the members depends on.</param>
    /// <param name="Group">As it was looked at last.</param>
    private sealed record Opened(string Way, GroupSession Session, RedundancyGroup Group, GroupCredentials Credentials);
}
