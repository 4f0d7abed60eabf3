using FailoverOperator.Api.Attributes;

namespace FailoverOperator.Api.RedundancyGroups;

/// <summary>What runs in the members.</summary>
public enum EngineType
{
    Redis,
    Hooks,
    PostgreSQL,

    /// <summary>Nobody asks the members: their pods' readiness is all that is known.</summary>
    None,
}

/// <summary>What a freshly started server is.</summary>
public enum StartState
{
    Writable,
    ReadOnly,
}

/// <summary>How the operator talks to the members.</summary>
public sealed record EngineSpec
{
    [Required]
    [Description("What runs in the members. PostgreSQL: a PostgreSQL server 15 or newer, with an agent. Redis: a Redis server. Hooks: anything; the operator calls the commands or URLs in hooks. None: members are not asked, their pods' readiness counts (mode ActiveActive only).")]
    public EngineType Type { get; init; }

    [Description("What a member's server is when it has just started and nobody has promoted it yet. Writable: it may take writes, so a failed primary's pod is deleted and its end awaited. ReadOnly: it surely takes none (Redis started with --replicaof, for example), so the end of the old process is proof enough, and failovers are faster.")]
    public StartState StartsAs { get; init; } = StartState.Writable;

    [Description("Settings of engine type PostgreSQL.")]
    [System.Text.Json.Serialization.JsonPropertyName("postgreSQL")]
    public PostgreSqlEngineSpec? PostgreSql { get; init; }

    [Description("Settings of engine type Redis.")]
    public RedisEngineSpec? Redis { get; init; }

    [Description("What to call, for engine type Hooks.")]
    public HooksEngineSpec? Hooks { get; init; }
}

/// <summary>How to reach the PostgreSQL servers.</summary>
public sealed record PostgreSqlEngineSpec
{
    [Description("Port of the PostgreSQL server in each pod.")]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; init; } = 5432;

    [Description("Name of the role that the operator logs in as to verify that the new primary takes writes. It needs the right to write to a table of its own in database.")]
    [Length(1, 63)]
    public string Username { get; init; } = "postgres";

    [Description("Database to log in to.")]
    [Length(1, 63)]
    public string Database { get; init; } = "postgres";

    [Description("Where the password of username is. Absent: the verifying write is left to the agent of the new primary.")]
    public SecretKeyReference? PasswordSecretRef { get; init; }
}

/// <summary>How to reach the Redis servers.</summary>
public sealed record RedisEngineSpec
{
    [Description("Port of the Redis server in each pod.")]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; init; } = 6379;

    [Description("Name of the user to log in as (ACL). Empty: the default user.")]
    [Length(0, 128)]
    public string Username { get; init; } = "";

    [Description("Where the password is. The operator logs in with it, and tells standbys to use it towards their primary.")]
    public SecretKeyReference? PasswordSecretRef { get; init; }
}

/// <summary>One key of a Secret in the group's namespace.</summary>
public sealed record SecretKeyReference
{
    [Required]
    [Description("Name of the Secret, in the group's namespace.")]
    [Length(1, 253)]
    public string Name { get; init; } = "";

    [Required]
    [Description("Key in the Secret.")]
    [Length(1, 253)]
    public string Key { get; init; } = "";
}

/// <summary>What to call to manage a workload that has no engine of its own.</summary>
public sealed record HooksEngineSpec
{
    [Required]
    [Description("Tells the member's role and position. It prints (or answers) a JSON object, see the documentation of the hooks.")]
    public HookSpec Status { get; init; } = new();

    [Description("Makes the member the primary. Called again until status says so; it must not mind. Needed in modes that promote.")]
    public HookSpec? Promote { get; init; }

    [Description("Makes the member read-only, while what it has still reaches the standbys. Without it there is no switchover.")]
    public HookSpec? Demote { get; init; }

    [Description("Makes the member a standby of the primary that the request names. Needed in modes that promote.")]
    public HookSpec? Follow { get; init; }

    [Description("Does a harmless write on the member to prove that it takes writes. Without it, status must say writable: true.")]
    public HookSpec? Verify { get; init; }
}

/// <summary>One hook: a command in the member's pod or an HTTP call to it.</summary>
[ValidationRule(RuleIds.ExecOrHttp, "has(self.exec) != has(self.http)", "a hook needs exactly one of exec and http")]
public sealed record HookSpec
{
    [Description("Run a command in the member's pod. The request is on its standard input; its standard output is the answer; exit code 0 is success.")]
    public ExecHookSpec? Exec { get; init; }

    [Description("POST the request to the member's pod. Status 200 to 299 is success, the body is the answer.")]
    public HttpHookSpec? Http { get; init; }

    [Description("Time for the hook to end. After it the call has failed.")]
    [RangeMinimum(1)]
    [RangeMaximum(300)]
    public int TimeoutSeconds { get; init; } = 5;
}

/// <summary>A command in the member's pod.</summary>
public sealed record ExecHookSpec
{
    [Required]
    [Description("Command and arguments; no shell is involved. $(ACTION), $(GROUP), $(SLOT), $(TERM), $(MEMBER), $(PRIMARY_NAME) and $(PRIMARY_ADDRESS) are replaced.")]
    [Items(1, 64)]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("Container to run it in. Empty: the pod's first.")]
    [Length(0, 63)]
    public string Container { get; init; } = "";
}

/// <summary>An HTTP call to the member's pod.</summary>
public sealed record HttpHookSpec
{
    [Required]
    [Description("Port on the pod's address.")]
    [RangeMinimum(1)]
    [RangeMaximum(65535)]
    public int Port { get; init; }

    [Description("Path of the URL.")]
    [Pattern("^/.*$")]
    [Length(1, 1024)]
    public string Path { get; init; } = "/";
}
