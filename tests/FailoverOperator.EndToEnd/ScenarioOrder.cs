using Xunit.Sdk;
using Xunit.v3;

namespace FailoverOperator.EndToEnd;

/// <summary>
/// As the tests are written down: first what runs beside each other, while the group of the next ones is set up, and those that take nodes away last.
/// </summary>
public sealed class ScenarioOrder : ITestCaseOrderer
{
    private static readonly List<string> Names = [.. typeof(ScenarioTests).GetMethods().OrderBy(m => m.MetadataToken).Select(m => m.Name)];

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase => [.. testCases.OrderBy(test => Names.IndexOf(test.TestMethod?.MethodName ?? ""))];
}
