using System.Globalization;

namespace FailoverOperator.Agent.Tests.Binary;

/// <summary>What a process occupies now, as the kernel counts it.</summary>
internal sealed record Footprint(double ResidentMebibytes, double AnonymousMebibytes, double FileMebibytes, double CpuMilliseconds)
{
    private const double KibibytesInMebibyte = 1024;
    private const double MillisecondsInTick = 10;       // USER_HZ is 100 everywhere.
    private const int UserTime = 11;                    // Field 14 of stat, counted from the one behind the name.

    public static Footprint Of(int process)
    {
        var status = File.ReadAllLines($"/proc/{process}/status").Select(line => line.Split(':', 2)).ToDictionary(parts => parts[0], parts => parts[1]);
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        // Files in memory, as in a tmpfs, are counted apart.
        return new Footprint(Size("VmRSS"), Size("RssAnon"), Size("RssFile") + Size("RssShmem"), (Number(fields[UserTime]) + Number(fields[UserTime + 1])) * MillisecondsInTick);

        double Size(string name) => Number(status[name].Replace("kB", "", StringComparison.Ordinal)) / KibibytesInMebibyte;
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
}
