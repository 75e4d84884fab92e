import WinnowFormat
import WinnowJSON
import WinnowModel

/// A row of a feed, in which paths find values. It refers to the input's bytes.
final class FeedRow {
    private var cells: [InputCell] = []
    /// What cells hold as JSON, by their columns, once it is known.
    private var nodes: [Int: JSONValue] = [:]
    private let item: JSONValue?
    private let nulls: Set<[UInt8]>
    /// The instant of a time without an offset, both in milliseconds since 1970.
    private let instantOfWall: @Sendable (Int64) -> Int64
    /// Why an array or object could not be read, such as too many levels; the row is bad.
    private var fault: BadRow?

    /// A row without cells.
    init(nulls: Set<[UInt8]>, _ instantOfWall: @escaping @Sendable (Int64) -> Int64) {
        item = nil
        self.nulls = nulls
        self.instantOfWall = instantOfWall
    }

    /// A row of an element of another.
    init(_ whole: FeedRow, item: JSONValue) {
        cells = whole.cells
        self.item = item
        nulls = whole.nulls
        instantOfWall = whole.instantOfWall
    }

    /// Becomes the row of some cells.
    func take(_ cells: borrowing [InputCell]) {
        self.cells.removeAll(keepingCapacity: true)
        for i in cells.indices { self.cells.append(cells[i]) }
        if !nodes.isEmpty { nodes.removeAll(keepingCapacity: true) }
        fault = nil
    }

    /// What a cell holds as JSON; nil where it is not there, or holds none.
    private func node(of column: Int) -> JSONValue? {
        if column == Mapping.Path.item { return item }
        if let known = nodes[column] { return known }
        let cell = cells[column]
        var text: String { String(decoding: cell.text, as: UTF8.self) }
        let node: JSONValue? =
            switch cell.kind {
            case .absent: nil
            case .null: .null
            case .csv, .string, .instant, .wallTime: .string(text)
            case .number: .number(text)
            case .boolean: .boolean(text == "true")
            case .compound: value(parsing: cell)
            }
        nodes[column] = node
        return node
    }

    /// Throws what kept an array or object from being read.
    func check() throws(BadRow) { if let fault { throw fault } }

    private func value(parsing cell: InputCell) -> JSONValue? {
        do throws(JSONError) {
            return try unsafe JSONValue(parsing: cell.bytes)
        } catch {
            fault = BadRow(column: nil, code: .malformedJSON, reason: error.message)
            return nil
        }
    }

    /// What a path leads to; nil where it leads nowhere.
    func node(_ path: Mapping.Path) -> JSONValue? {
        guard var node = node(of: path.column) else { return nil }
        for key in path.keys.dropFirst() {
            // A string on the way may hold JSON.
            if case .string(let text) = node {
                guard let inner = try? JSONValue(parsing: text) else { return nil }
                node = inner
            }
            switch node {
            case .object(let members):
                guard let member = members.last(where: { $0.key.utf8.elementsEqual(key) }) else {
                    return nil
                }
                node = member.value
            case .array(let elements):
                guard let index = Int(String(decoding: key, as: UTF8.self)),
                    elements.indices.contains(index)
                else { return nil }
                node = elements[index]
            default: return nil
            }
        }
        return node
    }

    /// The value at the end of a path.
    func value(_ path: Mapping.Path) -> FeedValue {
        if path.isColumn { return value(ofColumn: path.column) }
        return node(path).map { value(of: $0) } ?? .absent
    }

    /// A value of the first key, by its column.
    func value(ofColumn column: Int) -> FeedValue {
        let cell = cells[column]
        switch cell.kind {
        case .absent: return .absent
        case .null: return .empty
        case .compound: return node(of: column).map { value(of: $0) } ?? .absent
        case .csv, .string, .number, .boolean, .instant, .wallTime:
            let text = cell.text
            return text.isEmpty || nulls.contains(text) ? .empty : .text(text)
        }
    }

    func value(of node: JSONValue) -> FeedValue {
        switch node {
        case .null: return .empty
        case .object: return .absent
        case .array(let elements):
            let values = elements.compactMap(FeedRow.scalar)
            if values.count == elements.count { return .set(values) }
            if values.isEmpty { return .absent }
            fault = BadRow(
                column: nil, code: .badValue,
                reason: "an array has single values beside others, such as null")
            return .absent
        default:
            guard let text = FeedRow.scalar(node) else { return .empty }
            return text.isEmpty || nulls.contains(text) ? .empty : .text(text)
        }
    }

    /// A scalar as text; nil for what is none.
    private static func scalar(_ node: JSONValue) -> [UInt8]? {
        switch node {
        case .string(let text), .number(let text): Array(text.utf8)
        case .boolean(let flag): Array((flag ? "true" : "false").utf8)
        case .null, .array, .object: nil
        }
    }

    /// Whether all conditions hold.
    func meets(_ conditions: [Mapping.Condition]) -> Bool {
        conditions.allSatisfy { condition in
            let path = condition.path
            if path.isColumn {
                let cell = cells[path.column]
                guard cell.isPresent, cell.kind != .compound else { return false }
                let text = cell.text
                return condition.patterns.contains { $0.matches(text) }
            }
            guard let node = node(path), let text = FeedRow.scalar(node) else { return false }
            return condition.patterns.contains { $0.matches(text) }
        }
    }

    // MARK: Values

    /// A value that goes as it is into a cell of a record; nil for one that has to be made, or is
    /// not there.
    /// - Parameter isTime: whether the cell is a time, which may be Unix seconds.
    func cell(_ value: Mapping.Value, isTime: Bool) -> InputCell? {
        guard value.isPlain || isTime && value.isSeconds else { return nil }
        guard let column = value.column else {
            guard value.steps.map == nil, let text = value.constant else { return nil }
            return unsafe InputCell(kind: .csv, bytes: text.bytes)
        }
        let cell = cells[column]
        switch cell.kind {
        case .absent, .null, .compound, .instant, .wallTime: return nil
        case .csv, .string, .number, .boolean: break
        }
        if unsafe cell.bytes.isEmpty { return nil }
        if !nulls.isEmpty, unsafe nulls.contains(Array(cell.bytes)) { return nil }
        if value.isSeconds {
            // Other numbers may be no times, or have fractions: they are checked.
            guard unsafe cell.bytes.count == 10,
                unsafe cell.bytes.allSatisfy({ isDigit($0) })
            else { return nil }
        } else if let map = value.steps.map {
            guard let place = map.firstIndex(where: { unsafe cell.bytes.holds($0.value) }),
                let text = value.mapped[place]
            else { return nil }
            return unsafe InputCell(kind: .csv, bytes: text.bytes)
        }
        return unsafe InputCell(kind: .csv, bytes: cell.bytes)
    }

    /// What the mapping makes of a value.
    /// - Parameter column: for messages.
    /// - Parameter isDate: whether a day is wanted, without a time.
    func value(
        _ value: Mapping.Value, _ column: String, isDate: Bool = false
    ) throws(BadRow) -> FeedValue {
        var result = try origin(of: value, column)
        if case .text(var text) = result, value.steps.trims || value.steps.lowers {
            if value.steps.trims { text = text.withoutBlanks }
            if value.steps.lowers { text = FeedRow.lowered(text) }
            result = text.isEmpty ? .empty : .text(text)
        }
        if case .set(var members) = result, value.steps.trims || value.steps.lowers {
            if value.steps.trims { members = members.map(\.withoutBlanks) }
            if value.steps.lowers { members = members.map(FeedRow.lowered) }
            result = .set(members)
        }
        if case .text(let text) = result, let separator = value.steps.split {
            result = .set(FeedRow.split(text, separator))
        }
        if let map = value.steps.map {
            func mapped(_ text: [UInt8]) -> FeedValue {
                map.first { $0.value == text }?.becomes ?? value.steps.otherwise ?? .absent
            }
            switch result {
            case .text(let text): result = mapped(text)
            case .set(let values): result = .set(values.compactMap { mapped($0).text })
            case .absent, .empty: break
            }
        }
        guard let form = value.steps.form, case .text(let text) = result else { return result }
        if isDate, case .pattern(let pieces) = form, let wall = TimePattern.wall(text, pieces) {
            return .text(Array(Instant(milliseconds: wall).description.utf8.prefix(10)))
        }
        return .text(try written(text, form, column))
    }

    private static func lowered(_ text: [UInt8]) -> [UInt8] {
        guard text.allSatisfy({ $0 < 0x80 }) else {
            return Array(String(decoding: text, as: UTF8.self).lowercased().utf8)
        }
        return text.asciiLowercased
    }

    private func origin(of value: Mapping.Value, _ column: String) throws(BadRow) -> FeedValue {
        switch value.origin {
        case .path(let path): return self.value(path)
        case .constant(let constant): return constant
        case .first(let values):
            var last = FeedValue.absent
            for value in values {
                let found = try self.value(value, column)
                if found != .absent, found != .empty { return found }
                if found == .empty { last = .empty }
            }
            return last
        case .join(let values, let separator):
            var parts: [[UInt8]] = []
            for value in values {
                guard let text = try self.value(value, column).text else { return .absent }
                parts.append(text)
            }
            return .text(Array(parts.joined(separator: separator)))
        }
    }

    /// Blanks around parts go; where one character parts them, a part may stand in quotes.
    private static func split(_ text: [UInt8], _ separator: [UInt8]) -> [[UInt8]] {
        if separator.count == 1, text.contains(UInt8(ascii: "\"")),
            let values = unsafe text.withUnsafeBytes({ bytes in
                unsafe ValueRules(setSeparator: separator[0]).values(of: bytes)
            })
        {
            return values.filter { !$0.isEmpty }
        }
        var parts: [[UInt8]] = [[]]
        var rest = text[...]
        while let byte = rest.first {
            if rest.starts(with: separator) {
                parts.append([])
                rest.removeFirst(separator.count)
            } else {
                parts[parts.count - 1].append(byte)
                rest.removeFirst()
            }
        }
        return parts.map(\.withoutBlanks).filter { !$0.isEmpty }
    }

    /// A time as an instant, a number with fewer digits.
    private func written(
        _ text: [UInt8], _ form: Mapping.Value.Form, _ column: String
    ) throws(BadRow) -> [UInt8] {
        func bad(_ expected: String) -> BadRow {
            let shown = String(decoding: text.prefix(60), as: UTF8.self)
            return BadRow(
                column: column, code: .badValue, reason: "expected \(expected), found “\(shown)”")
        }
        let milliseconds: Int64?
        switch form {
        case .decimal(let places):
            let rounded = unsafe text.withUnsafeBytes { unsafe DecimalLiteral(utf8: $0) }?
                .rounded(to: places)
            guard let rounded else { throw bad("a number") }
            return Array(rounded.utf8)
        case .seconds:
            milliseconds = unsafe text.withUnsafeBytes { bytes in
                unsafe InputCell(kind: .csv, bytes: bytes).unixSeconds
            }
            if milliseconds == nil { throw bad("Unix seconds") }
        case .milliseconds:
            milliseconds = Int64(String(decoding: text, as: UTF8.self))
            if milliseconds == nil { throw bad("Unix milliseconds") }
        case .datetime:
            milliseconds = unsafe text.withUnsafeBytes { unsafe WrittenTime(utf8: $0) }?.instant(
                instantOfWall)
            if milliseconds == nil {
                let isNumber = text.allSatisfy { isDigit($0) }
                throw bad(
                    "a time as 2026-01-31T12:00:00Z"
                        + (isNumber
                            ? " (for Unix time the mapping says \"as\": \"seconds\" or \"milliseconds\")"
                            : ""))
            }
        case .pattern(let pieces):
            milliseconds = TimePattern.wall(text, pieces).map(instantOfWall)
            if milliseconds == nil { throw bad("a time as the mapping's pattern has it") }
        }
        guard let milliseconds, Instant.possibleMilliseconds.contains(milliseconds) else {
            throw bad("a time of the years 0001 to 9999")
        }
        return Array(Instant(milliseconds: milliseconds).description.utf8)
    }
}

extension DecimalLiteral {
    /// The number with so many digits after the point, half rounded away from zero; nil for one
    /// with more digits than any field has.
    func rounded(to places: Int) -> String? {
        guard self.places > -40, digits.count < 200 else { return nil }
        var digits = digits + [UInt8](repeating: 0, count: max(0, -self.places))
        var after = max(0, self.places)
        if after > places {
            let cut = after - places
            let dropped = digits.count >= cut ? digits[digits.count - cut] : 0
            digits.removeLast(min(cut, digits.count))
            after = places
            if dropped >= 5 {
                var at = digits.count - 1
                while at >= 0, digits[at] == 9 {
                    digits[at] = 0
                    at -= 1
                }
                if at >= 0 { digits[at] += 1 } else { digits.insert(1, at: 0) }
            }
        }
        while digits.count <= after { digits.insert(0, at: 0) }
        let text = digits.map(String.init).joined()
        let whole = text.dropLast(after)
        let isZero = digits.allSatisfy { $0 == 0 }
        return (negative && !isZero ? "-" : "") + whole
            + (after > 0 ? "." + text.suffix(after) : "")
    }
}
