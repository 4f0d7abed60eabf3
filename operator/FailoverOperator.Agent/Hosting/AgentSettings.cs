using System.Globalization;
using System.Net;
using FailoverOperator.Agent.Leases;
using FailoverOperator.Api;
using FailoverOperator.Api.Agents;

namespace FailoverOperator.Agent.Hosting;

/// <summary>Who this agent is, from the environment of its container.</summary>
internal sealed record AgentSettings
{
    public required string Group { get; init; }

    public required string Slot { get; init; }

    public required string PodName { get; init; }

    public required string PodUid { get; init; }

    public required string Namespace { get; init; }

    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    public required string Token { get; init; }

    /// <summary>Shorter than the pod's <c>terminationGracePeriodSeconds</c>.</summary>
    public required TimeSpan StopTimeout { get; init; }

    public required ServiceAccount Account { get; init; }

    public string Identity => LeaseContract.Identity(PodName, PodUid);

    public string LeaseName => LeaseContract.LeaseName(Group, Slot);

    /// <returns>The settings, or a sentence that says what is wrong with all of the variables.</returns>
    public static (AgentSettings? Settings, string? Problem) Read(Func<string, string?> variable)
    {
        var problems = new List<string>();
        var settings = new AgentSettings
        {
            Group = Required("FAILOVER_GROUP"),
            Slot = variable("FAILOVER_SLOT") is { Length: > 0 } slot ? slot : ApiGroup.FirstSlot,
            PodName = Required("POD_NAME"),
            PodUid = Required("POD_UID"),
            Namespace = Required("POD_NAMESPACE"),
            Address = Address("POD_IP"),
            Port = Number("FAILOVER_AGENT_PORT", AgentContract.DefaultPort, 1, 65535),
            Token = Required("FAILOVER_TOKEN"),
            StopTimeout = TimeSpan.FromSeconds(Number("FAILOVER_STOP_TIMEOUT_SECONDS", 25, 1, 3600)),
            // An address, as Kubernetes sets it: the agent asks no name service, which would be one more thing that can fail.
            Account = new ServiceAccount(
                new IPEndPoint(Address("KUBERNETES_SERVICE_HOST"), Number("KUBERNETES_SERVICE_PORT", 443, 1, 65535)),
                variable("FAILOVER_SERVICE_ACCOUNT") is { Length: > 0 } folder ? folder : ServiceAccount.DefaultFolder),
        };
        if (settings.Token.Any(c => c is <= ' ' or > '~')) problems.Add("FAILOVER_TOKEN must consist of ASCII letters, digits and signs, without spaces or line breaks");
        if (settings.Account.Problem is { } unreadable) problems.Add(unreadable);
        return problems.Count == 0 ? (settings, null) : (null, string.Join("; ", problems));

        string Required(string name)
        {
            if (variable(name) is { Length: > 0 } value) return value;
            problems.Add($"{name} is not set");
            return "";
        }

        IPAddress Address(string name)
        {
            var text = Required(name);
            if (IPAddress.TryParse(text, out var address)) return address;
            if (text.Length > 0) problems.Add($"{name} must be an IP address, not '{text}'");
            return IPAddress.None;
        }

        int Number(string name, int otherwise, int least, int most)
        {
            if (variable(name) is not { Length: > 0 } text) return otherwise;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
            problems.Add($"{name} must be a whole number from {least} to {most}, not '{text}'");
            return otherwise;
        }
    }
}
