namespace FailoverOperator.Api.Attributes;

/// <summary>The text that <c>kubectl explain</c> shows for a kind or a field.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class DescriptionAttribute(string description) : Attribute
{
    public string Description => description;
}

/// <summary>The field must be given; it has no default.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RequiredAttribute : Attribute;

/// <summary>Smallest value of a number, inclusive.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMinimumAttribute(long minimum) : Attribute
{
    public long Minimum => minimum;
}

/// <summary>Largest value of a number, inclusive.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeMaximumAttribute(long maximum) : Attribute
{
    public long Maximum => maximum;
}

/// <summary>Regular expression (RE2, anchored by the author) that a string must match.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string regexPattern) : Attribute
{
    public string RegexPattern => regexPattern;
}

/// <summary>Bounds of a string's length in characters; on a list, of each of its strings.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LengthAttribute(int minLength = 0, int maxLength = int.MaxValue) : Attribute
{
    public int MinLength => minLength;

    public int MaxLength => maxLength;
}

/// <summary>Bounds of a list's length.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemsAttribute(int minItems = 0, int maxItems = int.MaxValue) : Attribute
{
    public int MinItems => minItems;

    public int MaxItems => maxItems;
}

/// <summary>The list is a map: each entry is found by this (JSON) key, as server-side apply needs to know.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapKeyAttribute(string key) : Attribute
{
    public string Key => key;
}

/// <summary>A list of distinct scalars.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListSetAttribute : Attribute;

/// <summary>
/// A CEL rule (API servers from 1.25) with the message that <c>kubectl apply</c> shows.
/// <see cref="Id"/> names the same rule in the operator's own check, which serves older API servers.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(string id, string rule, string message) : Attribute
{
    public string Id => id;

    public string Rule => rule;

    public string Message => message;
}
