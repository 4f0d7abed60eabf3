using System.Globalization;
using System.Text;

namespace FailoverOperator.Simulator.Checking;

/// <summary>
/// What happened, line by line. All of it goes into one number, so that two runs can be compared without keeping either; the lines themselves are
/// kept
/// only where somebody wants to read them.
/// </summary>
public sealed class Trace(Func<TimeSpan> now, bool isRecording)
{
    private const ulong Prime = 1099511628211;

    private readonly StringBuilder _lines = new();
    private ulong _hash = 14695981039346656037;

    public bool IsRecording => isRecording;

    /// <summary>The same for the same lines at the same moments.</summary>
    public string Hash => _hash.ToString("x16", CultureInfo.InvariantCulture);

    public string Text => _lines.ToString();

    public void Write(string who, string what)
    {
        Mix((ulong)now().Ticks);
        Mix(who);
        Mix(what);
        Remark(who, what);
    }

    /// <summary>For readers only.</summary>
    public void Remark(string who, string what)
    {
        if (isRecording) _lines.Append(CultureInfo.InvariantCulture, $"{now().TotalSeconds,10:0.0000} {who,-12} {what}\n");
    }

    private void Mix(string text)
    {
        foreach (var letter in text) Mix(letter);
    }

    private void Mix(ulong value) => _hash = (_hash ^ value) * Prime;
}
