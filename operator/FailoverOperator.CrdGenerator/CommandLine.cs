using FailoverOperator.Api;

namespace FailoverOperator.CrdGenerator;

/// <summary>Writes the CRDs of FailoverOperator.Api into folders, or compares them with what is there.</summary>
public static class CommandLine
{
    private const string Usage = "usage: FailoverOperator.CrdGenerator --output <folder> [--output <folder>]... [--check]";

    /// <summary>
    /// Exit code 0: written, or nothing drifts. 1: with <c>--check</c>, some file differs, is missing or is left over
    /// (its name is on <paramref name="output"/>). 2: the arguments are wrong.
    /// </summary>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        if (!TryParse(arguments, out var folders, out var check))
        {
            error.WriteLine(Usage);
            return 2;
        }

        var files = CustomResourceDefinition.AllIn(typeof(ApiGroup).Assembly);
        if (check)
            return Check(folders, files, output);

        foreach (var folder in folders)
            Write(folder, files);
        return 0;
    }

    private static bool TryParse(IReadOnlyList<string> arguments, out List<string> folders, out bool check)
    {
        (folders, check) = ([], false);
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--check")
                check = true;
            else if (arguments[i] == "--output" && i + 1 < arguments.Count)
                folders.Add(arguments[++i]);
            else
                return false;
        }

        return folders.Count > 0;
    }

    private static void Write(string folder, IReadOnlyDictionary<string, string> files)
    {
        Directory.CreateDirectory(folder);
        foreach (var leftOver in YamlFilesIn(folder).Where(name => !files.ContainsKey(name)))
            File.Delete(Path.Combine(folder, leftOver));
        foreach (var (name, text) in files)
            File.WriteAllText(Path.Combine(folder, name), text);
    }

    private static int Check(List<string> folders, IReadOnlyDictionary<string, string> files, TextWriter output)
    {
        var drifting = folders.SelectMany(folder => Drifting(folder, files)).ToList();
        foreach (var file in drifting)
            output.WriteLine($"{file} is not what FailoverOperator.Api says; run make crds");
        return drifting.Count > 0 ? 1 : 0;
    }

    private static IEnumerable<string> Drifting(string folder, IReadOnlyDictionary<string, string> files) =>
        files.Keys.Union(YamlFilesIn(folder)).Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Path: Path.Combine(folder, name)))
            .Where(file => !File.Exists(file.Path) || File.ReadAllText(file.Path) != files.GetValueOrDefault(file.Name))
            .Select(file => file.Path);

    private static IEnumerable<string> YamlFilesIn(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.yaml").Select(path => Path.GetFileName(path)) : [];
}
