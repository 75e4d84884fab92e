import WinnowColumns
import WinnowJSON
import WinnowModel
import WinnowQuery
import WinnowRules
import WinnowStorage

/// What the profiles of a segment are told apart by.
public enum BreakdownDimension: Sendable, Hashable {
    /// The values of a field, by its name.
    case field(String)
    /// The channels in which a profile can be reached, as the rule `reachable by` says; `none` for
    /// those who can be reached in no channel.
    case reachable

    /// The name in output and on the command line.
    public var name: String {
        switch self {
        case .field(let name): name
        case .reachable: "@reachable"
        }
    }
}

/// How a segment is broken down.
public struct BreakdownOptions: Sendable {
    /// By how much of a date values are told apart.
    public enum DateBin: String, Sendable, CaseIterable { case day, month, year }

    /// One dimension, or two for the pairs of their values.
    public var dimensions: [BreakdownDimension]
    /// The most values that are shown; the rest is one line.
    public var top = 100
    /// Where numbers are cut, ascending, as they are written: `["18", "25.5"]`. nil for all values,
    /// or where there are over 50, for at most 20 ranges of one width.
    public var bins: [String]?
    /// By how much of a date or time, in the segment's zone, values are told apart.
    public var dateBin = DateBin.month

    /// By the values of fields, the largest 100.
    public init(by dimensions: [BreakdownDimension]) { self.dimensions = dimensions }
}

/// How many profiles of a segment, and of all, have which values.
public struct SegmentBreakdown: Sendable {
    /// A value that profiles have.
    public enum Value: Sendable, Hashable {
        /// They have none.
        case none
        /// A string, a member of a set, a channel, or a day, month or year.
        case text(String)
        /// A number as it is written.
        case number(String)
        case boolean(Bool)
        /// Numbers from `from` on and below `to`; nil for no end.
        case range(from: String?, to: String?)
    }

    /// The profiles that have a value, or a pair of them.
    public struct Line: Sendable {
        /// One for each dimension; nil for all values that have no line of their own.
        public var values: [Value]?
        /// Profiles of the segment.
        public var count: Int
        /// All profiles.
        public var universe: Int
    }

    /// The names of the dimensions.
    public var dimensions: [String]
    /// Those with the most profiles of the segment first, then by their values, none last; ranges
    /// of numbers in their order.
    public var lines: [Line]
    /// Profiles in the segment.
    public var count: Int
    /// All live profiles.
    public var universe: Int
    /// The instant of evaluation.
    public var asOf: Instant
    /// Of the store.
    public var version: UInt64
    /// What the rule's author should know.
    public var warnings: [RuleWarning]
}

extension Snapshot {
    /// The most values that a segment can be broken down by.
    public static let breakdownValues = 100_000

    /// How many profiles of a segment, and of all, have which values of one or two dimensions. Of a
    /// set of strings every member counts.
    /// - Throws: `usage` where there can be no such breakdown, and where profiles of the segment have
    ///   more than 100,000 values; `invalidRule` with the place in the rule.
    /// - Complexity: as `count`, and O(values of all profiles).
    public func breakdown(
        of segment: Segment, _ breakdown: BreakdownOptions,
        _ options: EvaluationOptions = EvaluationOptions()
    ) throws(WinnowError) -> SegmentBreakdown {
        guard breakdown.top >= 0 else {
            throw .usage("the values shown are at least 0, not \(breakdown.top)")
        }
        guard (1...2).contains(breakdown.dimensions.count),
            Set(breakdown.dimensions.map { Array($0.name.utf8) }).count
                == breakdown.dimensions.count
        else { throw .usage("a breakdown is by one field, or by two different ones") }
        let binding = try Binding(self, options, of: [segment])
        let bound = try binding.bind(segment)
        let evaluator = evaluator(options, Cancellation())
        let rows = try evaluator.rows(bound.plan)
        let universe = try evaluator.rows(.universe)
        var readers: [DimensionReader] = []
        for dimension in breakdown.dimensions {
            readers.append(
                try DimensionReader(
                    dimension, breakdown, self, universe, zone: binding.zone(segment), options))
        }
        if breakdown.bins != nil, !readers.contains(where: \.hasBins) {
            throw .usage("bins are for fields of numbers; none is asked for")
        }
        let all = readers
        let found = try Breakdown(
            of: rows, in: universe, by: readers.map(\.dimension), most: Snapshot.breakdownValues
        ) { DimensionReader.shown($0, all, top: breakdown.top) }
        var lines = found.lines.map { line in
            SegmentBreakdown.Line(
                values: zip(all, line.values).map { $0.value($1) }, count: line.count,
                universe: line.universe)
        }
        if let other = found.other {
            lines.append(.init(values: nil, count: other.count, universe: other.universe))
        }
        return SegmentBreakdown(
            dimensions: breakdown.dimensions.map(\.name), lines: lines, count: rows.count,
            universe: profiles, asOf: binding.asOf, version: version, warnings: bound.warnings)
    }
}

/// One dimension of a breakdown: its values as they are counted, and as they are shown.
private struct DimensionReader: Sendable {
    let dimension: Dimension
    private let form: Form

    private enum Form: Sendable {
        case text
        case boolean
        /// Numbers of a field, or how their ranges are cut.
        case numbers(Field)
        case steps(Field, step: Int64)
        case bins([(units: Int64, text: String)])
        case dates(BreakdownOptions.DateBin)
    }

    init(
        _ dimension: BreakdownDimension, _ breakdown: BreakdownOptions, _ snapshot: Snapshot,
        _ universe: RowSet, zone: TimeZoneRules, _ options: EvaluationOptions
    ) throws(WinnowError) {
        guard case .field(let name) = dimension else {
            var sets: [(name: String, rows: RowSet.ByBlock)] = []
            for channel in Channel.allCases {
                let reachable = Segment.reachable(by: channel)
                let plan = try Binding(snapshot, options, of: [reachable]).bind(reachable).plan
                let rows = try snapshot.evaluator(options, Cancellation()).rows(plan)
                sets.append((channel.name, rows.byBlock))
            }
            self.dimension = Dimension(.sets(sets), missing: .text(Array("none".utf8)))
            form = .text
            return
        }
        let schema = snapshot.schema
        guard name != Schema.idName else {
            throw .usage("every profile has an id of its own; take a field")
        }
        let index = try schema.known(name)
        let field = schema.fields[index]
        let column = try FieldColumn(try snapshot.snapshot.profiles(), field)
        let usual = index == schema.globalStatus ? Array(Schema.usualStatus.utf8) : nil
        var bin: (@Sendable (Int64) -> Int64)?
        switch field.type {
        case .string, .stringSet: form = .text
        case .boolean: form = .boolean
        case .integer, .decimal:
            if let texts = breakdown.bins {
                let cuts = try DimensionReader.cuts(texts, field)
                form = .bins(cuts)
                let units = cuts.map(\.units)
                bin = { number in Int64(firstNotBelow(units.indices) { units[$0] <= number }) }
            } else {
                let spread = try NumberSpread(column, of: universe)
                if spread.areMany {
                    let step = spread.step()
                    form = .steps(field, step: step)
                    bin = { floorDivide($0, step) }
                } else {
                    form = .numbers(field)
                }
            }
        case .date, .datetime:
            form = .dates(breakdown.dateBin)
            let hasTime = field.type == .datetime
            let size = breakdown.dateBin
            bin = { number in
                let local =
                    hasTime
                    ? zone.date(of: Instant(milliseconds: number)) : CivilDate(day: Int(number))
                // The ends of time are in no zone beyond the years that count.
                let day = min(max(local, .first), .last)
                let (year, month, _) = day.components
                return switch size {
                case .day: Int64(day.day)
                case .month: Int64(year) * 12 + Int64(month) - 1
                case .year: Int64(year)
                }
            }
        }
        self.dimension = Dimension(
            .field(column, bin: bin), missing: usual.map { .text($0) } ?? .none)
    }

    private static func cuts(
        _ texts: [String], _ field: Field
    ) throws(WinnowError) -> [(units: Int64, text: String)] {
        var cuts: [(units: Int64, text: String)] = []
        for text in texts {
            var copy = text
            let units = copy.withUTF8 {
                unsafe field.number(UnsafeRawBufferPointer($0), .number)
            }
            guard let units else {
                throw .usage(
                    "“\(text)” is no place to cut “\(field.name)”: expected \(field.expected)")
            }
            guard cuts.last.map({ $0.units < units }) ?? true else {
                throw .usage("bins ascend; “\(text)” is not above the one before it")
            }
            cuts.append((units, field.text(units)))
        }
        guard !cuts.isEmpty else { throw .usage("bins need one number at least") }
        return cuts
    }

    /// Whether its numbers are cut where somebody said.
    var hasBins: Bool { if case .bins = form { true } else { false } }

    private var hasRanges: Bool {
        switch form {
        case .bins, .steps: true
        case .text, .boolean, .numbers, .dates: false
        }
    }

    /// A value as it is shown.
    func value(_ value: Dimension.Value) -> SegmentBreakdown.Value {
        switch (value, form) {
        case (.none, _): return .none
        case (.text(let text), _): return .text(String(decoding: text, as: UTF8.self))
        case (.number(let number), .boolean): return .boolean(number != 0)
        case (.number(let number), .numbers(let field)): return .number(field.text(number))
        case (.number(let number), .steps(let field, let step)):
            func text(_ place: Int64) -> String {
                DecimalLiteral.text(Int128(place) * Int128(step), scale: field.scale)
            }
            return .range(from: text(number), to: text(number + 1))
        case (.number(let number), .bins(let cuts)):
            let place = Int(number)
            return .range(
                from: place > 0 ? cuts[place - 1].text : nil,
                to: place < cuts.count ? cuts[place].text : nil)
        case (.number(let number), .dates(let bin)):
            switch bin {
            case .day: return .text(CivilDate(day: Int(number)).description)
            case .month:
                let year = Int(floorDivide(number, 12))
                return .text(
                    DateText.year(year) + "-" + DateText.month(Int(number) - year * 12 + 1))
            case .year: return .text(DateText.year(Int(number)))
            }
        case (.number(let number), .text): return .number("\(number)")
        }
    }

    /// The values that are shown, in their order.
    static func shown(
        _ found: [(values: [Dimension.Value], count: Int)], _ readers: [DimensionReader], top: Int
    ) -> [[Dimension.Value]] {
        func precedes(_ a: [Dimension.Value], _ b: [Dimension.Value]) -> Bool {
            for (x, y) in zip(a, b) where x != y { return comes(x, before: y) }
            return false
        }
        guard readers.count == 1, readers[0].hasRanges else {
            let ordered = found.sorted {
                $0.count != $1.count ? $0.count > $1.count : precedes($0.values, $1.values)
            }
            return ordered.prefix(top).map(\.values)
        }
        let ordered = found.map(\.values).sorted(by: precedes)
        guard case .bins(let cuts) = readers[0].form else { return Array(ordered.prefix(top)) }
        let ranges = (0...cuts.count).map { [Dimension.Value.number(Int64($0))] }
        return ranges + ordered.filter { $0 == [.none] }
    }

    private static func comes(_ a: Dimension.Value, before b: Dimension.Value) -> Bool {
        switch (a, b) {
        case (.none, _): false
        case (_, .none): true
        case (.number(let x), .number(let y)): x < y
        case (.text(let x), .text(let y)): x.lexicographicallyPrecedes(y)
        case (.number, .text): true
        case (.text, .number): false
        }
    }
}

private enum DateText {
    static func year(_ year: Int) -> String { padded(year, 4) }
    static func month(_ month: Int) -> String { padded(month, 2) }
    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension SegmentBreakdown {
    /// A part of a whole with six digits after the point, half to even; nil of nothing.
    package static func share(_ part: Int, of whole: Int) -> String? {
        quotient(UInt128(part), UInt128(whole), places: 6)
    }

    /// How much more frequent a value is in the segment than among all: 100 times the quotient of
    /// the shares, with one digit after the point; nil of nothing.
    package func index(_ line: Line) -> String? {
        SegmentBreakdown.quotient(
            UInt128(line.count) * UInt128(universe) * 100,
            UInt128(count) * UInt128(line.universe), places: 1)
    }

    /// An exact quotient, rounded half to even.
    private static func quotient(_ a: UInt128, _ b: UInt128, places: Int) -> String? {
        guard b > 0 else { return nil }
        let scale = (0..<places).reduce(UInt128(1)) { product, _ in product * 10 }
        var (whole, rest) = (a * scale).quotientAndRemainder(dividingBy: b)
        if rest * 2 > b || rest * 2 == b && whole % 2 == 1 { whole += 1 }
        let digits = String(whole)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return padded.dropLast(places) + "." + padded.suffix(places)
    }

    /// A line as one object of JSON.
    package func json(_ line: Line) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("by") { json in
                guard let values = line.values else { return json.value("other") }
                json.object { json in
                    for (name, value) in zip(dimensions, values) {
                        json.member(name) { value.write(to: &$0) }
                    }
                }
            }
            json.member("count", line.count)
            json.member("share") {
                $0.literal(SegmentBreakdown.share(line.count, of: count) ?? "null")
            }
            json.member("universe", line.universe)
            json.member("universe_share") {
                $0.literal(SegmentBreakdown.share(line.universe, of: universe) ?? "null")
            }
            json.member("index") { $0.literal(index(line) ?? "null") }
        }
        return json.text
    }
}

extension SegmentBreakdown.Value {
    /// Whether both are the same value; texts are, when they have the same bytes.
    public static func == (a: Self, b: Self) -> Bool { sameBytes(a.json, b.json) }

    /// Hashes the value.
    public func hash(into hasher: inout Hasher) { json.hashBytes(into: &hasher) }
}

extension SegmentBreakdown.Value: JSONWritable, CustomStringConvertible {
    package func write(to json: inout JSONWriter) {
        switch self {
        case .none: json.literal("null")
        case .text(let text): json.value(text)
        case .number(let number): json.literal(number)
        case .boolean(let flag): json.value(flag)
        case .range(let from, let to):
            json.object { json in
                json.member("from") { $0.literal(from ?? "null") }
                json.member("to") { $0.literal(to ?? "null") }
            }
        }
    }

    /// The value for people.
    public var description: String {
        switch self {
        case .none: "(none)"
        case .text(let text): text
        case .number(let number): number
        case .boolean(let flag): flag ? "true" : "false"
        case .range(let from?, let to?): "\(from) – \(to)"
        case .range(nil, let to?): "below \(to)"
        case .range(let from?, nil): "from \(from) on"
        case .range(nil, nil): "any"
        }
    }
}
