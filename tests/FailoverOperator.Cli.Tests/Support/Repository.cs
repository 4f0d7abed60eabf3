namespace FailoverOperator.Cli.Tests.Support;

/// <summary>Where the files of the repository are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FailoverOperator.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
