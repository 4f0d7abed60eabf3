await Console.Error.WriteLineAsync("usage: failover-agent run|install");
return 2;
