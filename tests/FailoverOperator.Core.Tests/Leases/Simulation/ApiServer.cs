using System.Globalization;
using FailoverOperator.Core.Leases;

namespace FailoverOperator.Core.Tests.Leases.Simulation;

/// <summary>One lease, its versions, and whoever watches it.</summary>
internal sealed class ApiServer(LeaseWorld world)
{
    private readonly List<(TimeSpan At, LeaseRecord? Lease)> _history = [(TimeSpan.Zero, null)];
    private readonly Dictionary<string, TimeSpan> _renewTimes = [];
    private long _version;

    public LeaseRecord? Lease => _history[^1].Lease;

    /// <summary>As the wall clock of whoever wrote it said.</summary>
    public TimeSpan RenewTime(LeaseRecord lease) => _renewTimes[lease.Version];

    public Answer Read(int node)
    {
        if (!world.Network.IsStale(node)) return new Answer(true, Lease);
        var asOf = world.Now - TimeSpan.FromMilliseconds(world.Noise.Next(4000));
        return new Answer(true, _history.Last(h => h.At <= asOf || h == _history[0]).Lease);
    }

    public Answer Create(LeaseRecord lease, TimeSpan wallNow) => Lease is null ? Store(lease, wallNow, isRenewal: false) : new Answer(false, Lease);

    /// <summary>A write on account of what was read.</summary>
    public Answer Update(LeaseRecord read, LeaseRecord changed, TimeSpan wallNow, bool isRenewal = false) =>
        Lease?.Version == read.Version ? Store(changed, wallNow, isRenewal) : new Answer(false, null);

    /// <summary>A write of a person who does not care what was there.</summary>
    public void Overwrite(LeaseRecord? lease) => Store(lease, TimeSpan.Zero, isRenewal: false);

    private Answer Store(LeaseRecord? lease, TimeSpan wallNow, bool isRenewal)
    {
        var stored = lease is null ? null : lease with { Version = (++_version).ToString(CultureInfo.InvariantCulture) };
        _history.Add((world.Now, stored));
        if (stored is not null) _renewTimes[stored.Version] = wallNow;
        if (world.IsNoting && !(isRenewal && stored!.Accepted == _history[^2].Lease!.Accepted)) world.Note($"lease: {Describe(stored)}");
        if (stored is { IsReleased: true }) world.Check.Released(stored.Release!);
        // What a renewal changes concerns the operator alone.
        foreach (var agent in world.Agents.Where(_ => !isRenewal)) world.Network.Notify(agent.Node, () => agent.See(stored));
        foreach (var elector in world.Electors) world.Network.Notify(elector.Node, () => elector.See(stored));
        return new Answer(true, stored);
    }

    private static string Describe(LeaseRecord? lease) => lease is null
        ? "deleted"
        : $"{lease.Holder ?? "nobody"} term {lease.Term} version {lease.Version}, {lease.Terms.Members.Count} members"
            + (lease.IsClaimed ? $", accepted with {lease.Accepted!.Members.Count}" : "")
            + (lease.Pledged is { } pledged ? $", pledged with {pledged.Members.Count}" : "")
            + (lease.Release is { } release ? $", release {release.Reason} of {release.Term}" : "");
}
