import Foundation

extension Oracle {
    /// A profile's value, ready to be compared.
    enum Stored: Sendable {
        case string([UInt8])
        case integer(Int64)
        case decimal(OracleDecimal)
        case boolean(Bool)
        case day(Int64)
        case instant(Int64)
        case set(Set<[UInt8]>)
    }

    struct Column: Sendable {
        var type: String
        /// One per row.
        var values: [Stored?]
    }

    private typealias Test<Value> = (Value) -> Bool

    static func columns(of world: OracleWorld) throws(OracleFailure) -> [[UInt8]: Column] {
        var columns = [
            Array("id".utf8): Column(
                type: "string", values: world.profiles.map { .string(Array($0.id.utf8)) })
        ]
        let schema =
            [
                ("email", "string"), ("phone", "string"), ("appmetrica_device_id", "string"),
                ("global_status", "string"),
            ] + world.fields.map { ($0.name, $0.type) }
        for (name, type) in schema {
            var values: [Stored?] = []
            for profile in world.profiles {
                guard let value = profile.fields[name] else {
                    // Everybody has a status.
                    values.append(
                        name == "global_status" ? .string(Array("subscribed".utf8)) : nil)
                    continue
                }
                values.append(try stored(value, as: type))
            }
            columns[Array(name.utf8)] = Column(type: type, values: values)
        }
        return columns
    }

    private static func stored(_ value: OracleValue, as type: String) throws(OracleFailure)
        -> Stored
    {
        switch (value, type) {
        case (.string(let text), "string"): return .string(Array(text.utf8))
        case (.integer(let number), "integer"): return .integer(number)
        case (.decimal(let digits), "decimal"): return .decimal(try OracleDecimal(digits))
        case (.boolean(let truth), "boolean"): return .boolean(truth)
        case (.date(let text), "date"): return .day(try OracleDate(text).number)
        case (.datetime(let instant), "datetime"): return .instant(instant)
        case (.set(let texts), "string_set"): return .set(Set(texts.map { Array($0.utf8) }))
        default: throw OracleFailure(description: "\(value) is not a \(type)")
        }
    }

    func rows(field rule: OracleJSON, at moment: Moment) throws -> [Bool] {
        try rule.allowOnly(["name", "operator", "value", "ignore_case"])
        let name = try rule.required("name").bytes()
        guard let column = columns[name] else {
            throw OracleFailure(description: "no field \(String(decoding: name, as: UTF8.self))")
        }
        let operation = try rule.required("operator").word()
        // A negative operator is the complement of its positive, so that profiles without a value
        // match it.
        let positives = [
            "does_not_exist": "exists", "not_equals": "equals", "not_in": "in",
            "not_contains": "contains",
            "not_matches": "matches", "is_not_empty": "is_empty", "not_between": "between",
            "has_none": "has_any", "is_blank": "is_not_blank",
        ]
        let positive = positives[operation] ?? operation
        let isNegative = positives[operation] != nil
        if positive == "exists" {
            try rule.allowOnly(["name", "operator"])
            return column.values.map { ($0 != nil) != isNegative }
        }
        let test = try test(positive, rule, type: column.type, at: moment)
        return column.values.map { ($0.map(test) ?? false) != isNegative }
    }

    private func test(
        _ operation: String, _ rule: OracleJSON, type: String, at moment: Moment
    ) throws -> Test<Stored> {
        if type != "string" || operation == "is_empty" || operation == "is_not_blank" {
            guard rule["ignore_case"] == nil else {
                throw OracleFailure(description: "ignore_case does not apply")
            }
        }
        if type == "string" || type == "string_set",
            operation == "is_empty" || operation == "is_not_blank"
        {
            try rule.allowOnly(["name", "operator"])
            return { value in
                let isEmpty =
                    switch value {
                    case .string(let bytes): bytes.isEmpty
                    case .set(let members): members.isEmpty
                    default: false
                    }
                return isEmpty == (operation == "is_empty")
            }
        }
        let value = try rule.required("value")
        switch type {
        case "string":
            let test = try stringTest(
                operation, value, ignoringCase: try rule["ignore_case"]?.truth() ?? false)
            return { if case .string(let bytes) = $0 { test(bytes) } else { false } }
        case "integer":
            let test = try numberTest(operation, value) { try $0.integer() }
            return { if case .integer(let number) = $0 { test(number) } else { false } }
        case "decimal":
            let test = try numberTest(operation, value) { try $0.decimal() }
            return { if case .decimal(let number) = $0 { test(number) } else { false } }
        case "boolean":
            guard operation == "equals" else { throw unknown(operation, type) }
            let wanted = try value.truth()
            return { if case .boolean(let truth) = $0 { truth == wanted } else { false } }
        case "date":
            let test = try dateTest(operation, value, at: moment)
            return { if case .day(let day) = $0 { test(day) } else { false } }
        case "datetime":
            let test = try datetimeTest(operation, value, at: moment)
            return { if case .instant(let instant) = $0 { test(instant) } else { false } }
        case "string_set":
            let test = try setTest(operation, value)
            return { if case .set(let members) = $0 { test(members) } else { false } }
        default: throw OracleFailure(description: "unknown type \(type)")
        }
    }

    private func unknown(_ operation: String, _ type: String) -> OracleFailure {
        OracleFailure(description: "no operator \(operation) for a \(type)")
    }
}

// MARK: - Numbers and sets

extension Oracle {
    private func numberTest<Number: Comparable>(
        _ operation: String, _ value: OracleJSON, read: (OracleJSON) throws -> Number
    ) throws -> Test<Number> {
        switch operation {
        case "in":
            let wanted = try value.elements().map(read)
            return { wanted.contains($0) }
        case "between":
            let bounds = try value.elements().map(read)
            guard bounds.count == 2, bounds[0] <= bounds[1] else {
                throw OracleFailure(description: "\(bounds)")
            }
            return { bounds[0] <= $0 && $0 <= bounds[1] }
        default: break
        }
        let wanted = try read(value)
        switch operation {
        case "equals": return { $0 == wanted }
        case "less_than": return { $0 < wanted }
        case "at_most": return { $0 <= wanted }
        case "greater_than": return { $0 > wanted }
        case "at_least": return { $0 >= wanted }
        default: throw unknown(operation, "number")
        }
    }

    private func setTest(_ operation: String, _ value: OracleJSON) throws -> Test<Set<[UInt8]>> {
        let wanted = Set(try value.elements().map { try $0.bytes() })
        switch operation {
        case "has_any": return { !$0.isDisjoint(with: wanted) }
        case "has_all": return { $0.isSuperset(of: wanted) }
        default: throw unknown(operation, "string_set")
        }
    }
}

// MARK: - Dates and instants

extension Oracle {
    private func dateTest(_ operation: String, _ value: OracleJSON, at moment: Moment) throws
        -> Test<Int64>
    {
        switch operation {
        case "age": return try ageTest(value, at: moment)
        case "during" where value["next"] != nil:
            let days = try moment.calendar.nextDays(value, asOf: moment.asOf)
            return { days.contains($0) }
        case "during":
            let window = try moment.calendar.window(value, asOf: moment.asOf)
            let calendar = moment.calendar
            if try [value["from"], value["to"]].compactMap({ $0 }).contains(where: {
                try $0.word().utf8.count > 10
            }) {
                throw OracleFailure(description: "a date is not compared with an instant")
            }
            // A date is in a window when its first instant is.
            let first = try firstDay(from: window.from, calendar)
            let end = try firstDay(from: window.end, calendar)
            return { first <= $0 && $0 < end }
        case "anniversary": return try anniversaryTest(value, at: moment)
        default:
            return try orderTest(operation, value) { literal in
                guard
                    case .day(let day) = try moment.calendar.literal(literal, asOf: moment.asOf)
                else {
                    throw OracleFailure(description: "a date is not compared with an instant")
                }
                return day..<day + 1
            }
        }
    }

    /// The first day that begins at or after an instant.
    private func firstDay(from instant: Int64, _ calendar: OracleCalendar) throws -> Int64 {
        if instant <= OracleWindow.everything.from { return OracleCalendar.firstDay }
        if instant >= OracleWindow.everything.end { return OracleCalendar.afterLastDay }
        let day = calendar.day(at: instant)
        return calendar.start(ofDay: day) < instant ? day + 1 : day
    }

    private func datetimeTest(_ operation: String, _ value: OracleJSON, at moment: Moment) throws
        -> Test<Int64>
    {
        let calendar = moment.calendar
        switch operation {
        case "age":
            let test = try ageTest(value, at: moment)
            return { test(calendar.day(at: $0)) }
        case "during" where value["next"] != nil:
            let window = try calendar.nextWindow(value, asOf: moment.asOf)
            return { window.contains($0) }
        case "during":
            let window = try calendar.window(value, asOf: moment.asOf)
            return { window.contains($0) }
        case "anniversary":
            let test = try anniversaryTest(value, at: moment)
            return { test(calendar.day(at: $0)) }
        default:
            // A date stands for its whole local day, an instant for itself.
            return try orderTest(operation, value) { literal in
                switch try calendar.literal(literal, asOf: moment.asOf) {
                case .day(let day): calendar.start(ofDay: day)..<calendar.start(ofDay: day + 1)
                case .instant(let instant): instant..<instant + 1
                }
            }
        }
    }

    private func orderTest(
        _ operation: String, _ value: OracleJSON, read: (OracleJSON) throws -> Range<Int64>
    ) throws -> Test<Int64> {
        if operation == "between" {
            let bounds = try value.elements().map(read)
            let relative = try value.elements().filter { try $0.word().hasPrefix("today") }.count
            guard bounds.count == 2,
                bounds[0].lowerBound < bounds[1].upperBound || relative == 1
            else {
                throw OracleFailure(description: "\(bounds)")
            }
            return { bounds[0].lowerBound <= $0 && $0 < bounds[1].upperBound }
        }
        let wanted = try read(value)
        switch operation {
        case "equals": return { wanted.contains($0) }
        case "before": return { $0 < wanted.lowerBound }
        case "on_or_before": return { $0 < wanted.upperBound }
        case "after": return { $0 >= wanted.upperBound }
        case "on_or_after": return { $0 >= wanted.lowerBound }
        default: throw unknown(operation, "date")
        }
    }

    /// Completed years, counted birthday by birthday.
    private func ageTest(_ value: OracleJSON, at moment: Moment) throws -> Test<Int64> {
        try value.allowOnly(["from", "to", "feb29"])
        let from = try value["from"]?.integer() ?? 0
        let to = try value["to"]?.integer() ?? 9_998
        let late = try value["feb29"]?.word() == "mar1"
        guard value["from"] != nil || value["to"] != nil, 0 <= from, from <= to, to <= 9_998 else {
            throw OracleFailure(description: "age \(value)")
        }
        let now = moment.calendar.day(at: moment.asOf)
        let today = OracleDate(number: now)
        return { day in
            guard day <= now else { return false }
            let born = OracleDate(number: day)
            var (month, date) = (born.month, born.day)
            if (month, date) == (2, 29), !OracleDate.isLeap(today.year) {
                (month, date) = late ? (3, 1) : (2, 28)
            }
            let isOver = (today.month, today.day) >= (month, date)
            let age = today.year - born.year - (isOver ? 0 : 1)
            return from <= age && age <= to
        }
    }

    private func anniversaryTest(_ value: OracleJSON, at moment: Moment) throws -> Test<Int64> {
        try value.allowOnly(["from", "to", "feb29"])
        let from = try value.required("from").integer()
        let to = try value.required("to").integer()
        let feb29 = try value["feb29"]?.word() ?? "feb28"
        guard -365 <= from, from <= to, to <= 365 else {
            throw OracleFailure(description: "from \(from) to \(to)")
        }
        let today = moment.calendar.day(at: moment.asOf)
        let dates = (from...to).map { OracleDate(number: today + $0) }
        // Month and day as one number, 229 for the 29th of February.
        var wanted = Set(dates.map { $0.month * 100 + $0.day })
        let common = Set(
            dates.filter { !OracleDate.isLeap($0.year) }.map { $0.month * 100 + $0.day })
        switch feb29 {
        case "feb28": if common.contains(228) { wanted.insert(229) }
        case "mar1": if common.contains(301) { wanted.insert(229) }
        case "skip": break
        default: throw OracleFailure(description: "feb29 \(feb29)")
        }
        return { day in
            let date = OracleDate(number: day)
            return wanted.contains(date.month * 100 + date.day)
        }
    }
}

// MARK: - Strings

extension Oracle {
    private func stringTest(
        _ operation: String, _ value: OracleJSON, ignoringCase: Bool
    ) throws -> Test<[UInt8]> {
        let fold: ([UInt8]) -> [UInt8] = ignoringCase ? Self.folded : { $0 }
        if operation == "in" {
            let wanted = Set(try value.elements().map { fold(try $0.bytes()) })
            return { wanted.contains(fold($0)) }
        }
        let wanted = fold(try value.bytes())
        switch operation {
        case "equals": return { fold($0) == wanted }
        case "contains": return { Self.contains(fold($0), wanted) }
        case "starts_with": return { fold($0).starts(with: wanted) }
        case "ends_with": return { fold($0).reversed().starts(with: wanted.reversed()) }
        case "matches":
            let pattern = try Self.pattern(wanted)
            return { Self.matches(fold($0), pattern) }
        default: throw unknown(operation, "string")
        }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }

    /// A byte that stands for itself, or nil for any run of bytes.
    private static func pattern(_ text: [UInt8]) throws -> [UInt8?] {
        var pattern: [UInt8?] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): pattern.append(nil)
            case UInt8(ascii: "\\"):
                guard let literal = rest.popFirst(), "*\\".utf8.contains(literal) else {
                    throw OracleFailure(
                        description: "a backslash escapes an asterisk or a backslash")
                }
                pattern.append(literal)
            default: pattern.append(byte)
            }
        }
        return pattern
    }

    private static func matches(_ text: [UInt8], _ pattern: [UInt8?]) -> Bool {
        // The lengths of text that the pattern so far can have consumed.
        var reached: Set<Int> = [0]
        for part in pattern {
            if let byte = part {
                reached = Set(reached.filter { $0 < text.count && text[$0] == byte }.map { $0 + 1 })
            } else if let shortest = reached.min() {
                reached = Set(shortest...text.count)
            }
        }
        return reached.contains(text.count)
    }

    /// Simple case folding (status C and S of Unicode's CaseFolding.txt), scalar by scalar.
    static func folded(_ bytes: [UInt8]) -> [UInt8] {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.flatMap {
            Array(String(folded($0)).utf8)
        }
    }

    /// The small letter of the capital letter, where each is one scalar: that brings the final
    /// sigma to the other one.
    private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        func alone(_ text: String) -> Unicode.Scalar? {
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
        }
        // The dotless i has the capital of the dotted one, but folds to itself.
        if scalar == "\u{131}" { return scalar }
        let properties = scalar.properties
        let capital =
            alone(properties.uppercaseMapping) ?? alone(properties.titlecaseMapping) ?? scalar
        // Cherokee folds to capitals, since its small letters came later.
        if ("\u{13A0}"..."\u{13F5}").contains(capital) { return capital }
        return alone(capital.properties.lowercaseMapping) ?? capital
    }
}
