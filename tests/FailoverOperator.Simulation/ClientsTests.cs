using FailoverOperator.Simulator;
using FailoverOperator.Simulator.Cluster;
using k8s.Models;

namespace FailoverOperator.Simulation;

public sealed class ClientsTests
{
    /// <summary>Two changes of the endpoints at almost the same time: the clients never stay with the older one (seed 40153 of mode Quorum).</summary>
    [Fact]
    public void Clients_go_where_the_newest_endpoints_lead()
    {
        var world = new SimulatedWorld(new WorldOptions { Seed = 1, Spec = Variants.Spec(2), Members = 2 });
        world.RunUntil(TimeSpan.FromSeconds(60), world.IsSteady);
        var slice = world.Cluster.Find<V1EndpointSlice>(Objects.Service);
        for (var n = 0; n < 10; n++)
        {
            world.Clients.Point(null);
            world.Clients.Point(slice);
            world.RunUntil(world.Loop.Now + TimeSpan.FromSeconds(3));
            Assert.True(world.Loop.Now - world.Clients.LastAcknowledged < TimeSpan.FromSeconds(1), $"time {n + 1}: the clients write to nobody");
        }
    }
}
