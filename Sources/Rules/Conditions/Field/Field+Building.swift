import WinnowModel

extension Rule {
    /// Profiles by a field.
    public static func field(_ condition: FieldCondition) -> Rule { Rule(.field(condition)) }
}

extension Segment {
    /// Profiles by a field and an operator that takes no value: `.field("city", .exists)`.
    public static func field(_ name: String, _ operator: FieldOperator) -> Segment {
        Segment(.field(FieldCondition(name, `operator`)))
    }

    /// Profiles whose field compares to a value: `.field("ltv", .atLeast, 100)`.
    public static func field(
        _ name: String, _ operator: FieldOperator, _ value: FieldCondition.Literal,
        ignoringCase: Bool? = nil
    ) -> Segment {
        Segment(.field(FieldCondition(name, `operator`, .value(value), ignoresCase: ignoringCase)))
    }

    /// Profiles whose field compares to a list: `.field("likes", .hasAny, ["poetry"])`.
    public static func field(
        _ name: String, _ operator: FieldOperator, _ values: [FieldCondition.Literal],
        ignoringCase: Bool? = nil
    ) -> Segment {
        Segment(.field(FieldCondition(name, `operator`, .list(values), ignoresCase: ignoringCase)))
    }

    /// Profiles whose field is one of some values.
    public static func field(
        _ name: String, in values: [FieldCondition.Literal], ignoringCase: Bool? = nil
    ) -> Segment {
        field(name, .in, values, ignoringCase: ignoringCase)
    }

    /// Profiles whose field is between two values, both included.
    public static func field(
        _ name: String, between low: FieldCondition.Literal, and high: FieldCondition.Literal
    ) -> Segment {
        field(name, .between, [low, high])
    }

    /// Profiles whose date or instant is in a window.
    public static func field(_ name: String, during window: Window) -> Segment {
        Segment(.field(FieldCondition(name, .during, .window(window))))
    }

    /// Profiles whose date is so many completed years ago: `.field("born", aged: 25...34)`.
    public static func field(
        _ name: String, aged years: ClosedRange<Int>, feb29: FieldCondition.Age.LeapDay = .feb28
    ) -> Segment {
        field(name, aged: .init(from: years.lowerBound, to: years.upperBound, leapDay: feb29))
    }

    /// The same with an open end: `.field("born", aged: 18...)`.
    public static func field(
        _ name: String, aged years: PartialRangeFrom<Int>,
        feb29: FieldCondition.Age.LeapDay = .feb28
    ) -> Segment {
        field(name, aged: .init(from: years.lowerBound, to: nil, leapDay: feb29))
    }

    private static func field(_ name: String, aged age: FieldCondition.Age) -> Segment {
        Segment(.field(FieldCondition(name, .age, .age(age))))
    }

    /// Profiles whose date comes round again within some days from today, both included.
    public static func field(
        _ name: String, anniversary days: ClosedRange<Int>,
        feb29: FieldCondition.Anniversary.LeapDay = .feb28
    ) -> Segment {
        Segment(
            .field(FieldCondition(name, .anniversary, .anniversary(.init(days, leapDay: feb29)))))
    }
}
