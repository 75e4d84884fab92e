import WinnowColumns
import WinnowJSON
import WinnowModel

/// Finds the type that holds every value of a column: as narrow as can be, a string where none
/// does. A number with a leading zero, or with more digits than 64 bits always hold, is no number:
/// it is somebody's key.
struct ColumnInference {
    private var column: InferredSchema.Column
    /// Types that hold every value so far.
    private var possible: Set<FieldType> = Set(FieldType.allCases)
    /// Digits after the point that decimals need.
    private var scale = 0
    /// Digits before the point that a number has, at most.
    private var mostWholeDigits = 0
    private var isNested = false
    private var seen: Set<UInt64> = []

    private static let mostSeen = 100_000
    private static let mostDigits = 18

    init(_ name: String) { column = InferredSchema.Column(name: name) }

    /// Adds a cell of CSV, which has no type of its own.
    mutating func add(plain text: UnsafeRawBufferPointer) {
        guard unsafe note(text) else { return }
        var types: Set<FieldType> = [.string]
        unsafe ColumnInference.addTimes(text, &types)
        unsafe addNumbers(text, .plain, &types)
        if unsafe text.elementsEqual("true".utf8) || text.elementsEqual("false".utf8) {
            types.insert(.boolean)
        }
        possible.formIntersection(types)
    }

    /// Adds a value of JSON, which has one.
    mutating func add(_ value: JSONValue) {
        switch value {
        case .null: break
        case .boolean(let flag):
            noteText(flag ? "true" : "false")
            possible.formIntersection([.boolean])
        case .number(let text):
            noteText(text)
            var types: Set<FieldType> = []
            var number = text
            number.withUTF8 { unsafe addNumbers(UnsafeRawBufferPointer($0), .number, &types) }
            possible.formIntersection(types)
        case .string(let text):
            var text = text
            text.withUTF8 { bytes in
                let raw = UnsafeRawBufferPointer(bytes)
                guard unsafe note(raw) else { return }
                var types: Set<FieldType> = [.string]
                unsafe ColumnInference.addTimes(raw, &types)
                possible.formIntersection(types)
            }
        case .array(let elements):
            let strings = elements.compactMap { element -> String? in
                if case .string(let text) = element { text } else { nil }
            }
            noteText(strings.joined(separator: "|"))
            if strings.count < elements.count { isNested = true }
            possible.formIntersection([.stringSet])
        case .object:
            column.values += 1
            isNested = true
        }
    }

    /// The column and, where there can be one, its field.
    /// - Parameter rows: how many there were; those that said nothing of the column are empty.
    func finished(rows: Int) -> InferredSchema.Column {
        var column = column
        column.empty = rows - column.values
        // All digits of a decimal, with as many after the point as any has, must fit.
        var possible = possible
        if mostWholeDigits + scale > ColumnInference.mostDigits { possible.remove(.decimal) }
        let order: [FieldType] = [.integer, .decimal, .boolean, .date, .datetime, .stringSet]
        let type =
            column.values == 0 ? .string : order.first(where: possible.contains) ?? .string
        let field = Field(name: column.name, type: type, scale: scale)
        if Schema.builtIn.contains(where: { $0.name == column.name })
            || column.name == Schema.idName
        {
            column.leftOut = .builtIn
        } else if isNested {
            column.leftOut = .nested
        } else if field.problem != nil {
            column.leftOut = .badName
        } else {
            column.field = field
        }
        return column
    }

    private mutating func noteText(_ text: String) {
        var text = text
        _ = text.withUTF8 { unsafe note(UnsafeRawBufferPointer($0)) }
    }

    /// Counts a value; false for the empty string, which says nothing of a type.
    private mutating func note(_ text: UnsafeRawBufferPointer) -> Bool {
        guard unsafe !text.isEmpty else { return false }
        column.values += 1
        if column.example == nil {
            column.example = unsafe String(decoding: text.prefix(60), as: UTF8.self)
        }
        if column.distinct != nil {
            unsafe seen.insert(stringHash(text))
            column.distinct = seen.count <= ColumnInference.mostSeen ? seen.count : nil
        }
        return true
    }

    private static func addTimes(_ text: UnsafeRawBufferPointer, _ types: inout Set<FieldType>) {
        if unsafe CivilDate(utf8: text) != nil { types.insert(.date) }
        if unsafe WrittenTime(utf8: text)?.instant({ $0 }) != nil { types.insert(.datetime) }
    }

    private mutating func addNumbers(
        _ text: UnsafeRawBufferPointer, _ notation: FieldType.Notation,
        _ types: inout Set<FieldType>
    ) {
        let digits = unsafe text.first == UInt8(ascii: "-") ? 1 : 0
        let hasLeadingZero =
            unsafe text.count > digits + 1 && text[digits] == 0x30
            && isDigit(text[digits + 1])
        let count = unsafe text.count { isDigit($0) }
        guard !hasLeadingZero, count <= ColumnInference.mostDigits else { return }
        let whole = unsafe text.dropFirst(digits).prefix { isDigit($0) }.count
        mostWholeDigits = max(mostWholeDigits, whole)
        if unsafe wholeNumber(text) != nil {
            types.formUnion([.integer, .decimal])
            return
        }
        guard text.count > digits, unsafe isDigit(text[digits]) else { return }
        for scale in 0...Field.maximumScale {
            let field = Field(name: "", type: .decimal, scale: scale)
            guard unsafe field.number(text, notation) != nil else { continue }
            self.scale = max(self.scale, scale)
            types.insert(.decimal)
            return
        }
    }
}
