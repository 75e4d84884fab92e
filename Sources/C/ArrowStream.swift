import Winnow
import WinnowCHeader
import WinnowModel

/// An Arrow stream, taken over from who made it. Source:
/// https://arrow.apache.org/docs/format/CStreamInterface.html
@safe final class ArrowStream: @unchecked Sendable {
    static let name = "the Arrow stream"
    private static let mostColumns: Int64 = 1 << 20
    /// Stays where it is while it is in use.
    private let stream: UnsafeMutablePointer<ArrowArrayStream>
    private var columns: [Table.Column] = []

    init(taking source: UnsafeMutablePointer<ArrowArrayStream>) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: source.pointee)
        unsafe source.pointee.release = nil
    }

    deinit {
        unsafe stream.pointee.release?(stream)
        unsafe stream.deallocate()
    }

    /// The rows, which can be asked for once.
    func table() throws(WinnowError) -> Table {
        guard unsafe stream.pointee.release != nil, let schema = unsafe stream.pointee.get_schema
        else { throw .usage("the stream has been released") }
        var root = unsafe ArrowSchema()
        try unsafe check(schema(stream, &root))
        defer { unsafe root.release?(&root) }
        guard unsafe root.format != nil, unsafe String(cString: root.format) == "+s" else {
            throw ArrowStream.broken("its rows are no structs")
        }
        guard unsafe (0...ArrowStream.mostColumns).contains(root.n_children) else {
            throw ArrowStream.broken("it has \(unsafe root.n_children) columns")
        }
        for i in 0..<Int(unsafe root.n_children) {
            guard let children = unsafe root.children, let child = unsafe children[i] else {
                throw ArrowStream.broken("column \(i) has no type")
            }
            var name = ""
            if let bytes = unsafe child.pointee.name {
                guard let valid = unsafe String(validatingCString: bytes) else {
                    throw ArrowStream.broken("the name of column \(i) is not UTF-8")
                }
                name = valid
            }
            columns.append(Table.Column(name: name, layout: unsafe TableLayout(child.pointee)))
        }
        return Table(name: ArrowStream.name, columns: columns) { () throws(WinnowError) in
            try self.next()
        }
    }

    /// The next batch, nil at the end.
    private func next() throws(WinnowError) -> TableBatch? {
        guard let next = unsafe stream.pointee.get_next else {
            throw ArrowStream.broken("it has no batches to give")
        }
        let batch = ArrowBatch()
        try unsafe check(next(stream, batch.array))
        guard unsafe batch.array.pointee.release != nil else { return nil }
        return try batch.table(columns)
    }

    private func check(_ code: CInt) throws(WinnowError) {
        guard code != 0 else { return }
        var message = ""
        if let text = unsafe stream.pointee.get_last_error?(stream) {
            // What follows is for whoever wrote the source.
            let line = unsafe String(cString: text).split(separator: "\n").first ?? ""
            message = ": " + line.prefix(300)
        }
        throw .io(operation: "read", path: ArrowStream.name + message, code: code)
    }

    static func broken(_ reason: String, column: String? = nil) -> WinnowError {
        .badData(
            file: name, line: nil, column: column, code: .badValue,
            reason: "the table is broken: \(reason)")
    }
}

/// A record batch, released when nothing reads it any more.
@safe private final class ArrowBatch: @unchecked Sendable {
    let array: UnsafeMutablePointer<ArrowArray>

    init() {
        unsafe array = .allocate(capacity: 1)
        unsafe array.initialize(to: ArrowArray())
    }

    deinit {
        unsafe array.pointee.release?(array)
        unsafe array.deallocate()
    }

    func table(_ columns: [Table.Column]) throws(WinnowError) -> TableBatch {
        let root = unsafe array.pointee
        let rows = try unsafe ArrowBatch.range(root)
        guard unsafe Int(root.n_children) == columns.count else {
            throw ArrowStream.broken("a batch has \(unsafe root.n_children) columns")
        }
        if unsafe root.null_count != 0, unsafe root.n_buffers > 0, let buffers = unsafe root.buffers
        {
            guard unsafe buffers[0] == nil else { throw ArrowStream.broken("rows cannot be null") }
        }
        var own: [TableColumn] = []
        for (i, column) in columns.enumerated() {
            do throws(ArrowFault) {
                guard let children = unsafe root.children, let child = unsafe children[i] else {
                    throw ArrowFault("there are no values")
                }
                own.append(try unsafe ArrowBatch.column(child.pointee, column.layout, rows))
            } catch {
                throw ArrowStream.broken(error.reason, column: column.name)
            }
        }
        return TableBatch(rows: rows.count, columns: own, owner: self)
    }

    /// Where rows are in their buffers.
    private static func range(_ array: ArrowArray) throws(WinnowError) -> Range<Int> {
        do throws(ArrowFault) { return try unsafe values(array) } catch {
            throw ArrowStream.broken(error.reason)
        }
    }

    /// Where values are in their buffers.
    private static func values(_ array: ArrowArray) throws(ArrowFault) -> Range<Int> {
        // More would not be in memory.
        let most = 1 << 48
        guard unsafe (0..<most).contains(Int(array.offset)),
            unsafe (0..<most).contains(Int(array.length))
        else { throw ArrowFault("a length or an offset is out of range") }
        let (offset, length) = unsafe (Int(array.offset), Int(array.length))
        return offset..<offset + length
    }

    /// - Parameter rows: the rows that are read, counted from the column's first.
    private static func column(
        _ array: ArrowArray, _ layout: TableLayout, _ rows: Range<Int>
    ) throws(ArrowFault) -> TableColumn {
        let own = try unsafe values(array)
        guard own.count >= rows.upperBound else {
            throw ArrowFault("there are \(own.count) values for \(rows.upperBound) rows")
        }
        func buffer(_ i: Int) -> UnsafeRawPointer? { unsafe array.buffers[i] }
        let wanted = layout.buffers
        guard unsafe Int(array.n_buffers) >= wanted else {
            throw ArrowFault("it has \(unsafe array.n_buffers) buffers")
        }
        if wanted == 0 {
            return unsafe TableColumn(
                count: own.upperBound, offset: own.lowerBound, validity: nil, values: nil)
        }
        guard unsafe array.buffers != nil, unsafe own.isEmpty || buffer(1) != nil else {
            throw ArrowFault("a buffer is missing")
        }
        var texts = unsafe UnsafeBufferPointer<UnsafeRawPointer?>(start: nil, count: 0)
        var sizes: UnsafePointer<Int64>?
        var inner: [TableColumn] = []
        switch layout {
        case .texts: unsafe texts = UnsafeBufferPointer(start: array.buffers + 2, count: 1)
        case .textViews:
            let last = unsafe Int(array.n_buffers) - 1
            unsafe texts = UnsafeBufferPointer(start: array.buffers + 2, count: last - 2)
            unsafe sizes = unsafe buffer(last)?.assumingMemoryBound(to: Int64.self)
            guard unsafe texts.isEmpty || sizes != nil else {
                throw ArrowFault("a buffer is missing")
            }
        case .lists(_, let element):
            guard unsafe array.n_children == 1, let child = unsafe array.children?[0] else {
                throw ArrowFault("a list has no elements")
            }
            unsafe inner = [try column(child.pointee, element, 0..<0)]
        case .codes(_, _, let meaning):
            guard let dictionary = unsafe array.dictionary else {
                throw ArrowFault("there is no dictionary")
            }
            unsafe inner = [try column(dictionary.pointee, meaning, 0..<0)]
        default: break
        }
        return unsafe TableColumn(
            count: own.upperBound, offset: own.lowerBound + rows.lowerBound,
            validity: array.null_count == 0
                ? nil : buffer(0)?.assumingMemoryBound(to: UInt8.self),
            values: buffer(1), texts: texts, textSizes: sizes, inner: inner)
    }
}

/// What is wrong with a column.
private struct ArrowFault: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension TableLayout {
    /// How many buffers its arrays have, at least.
    fileprivate var buffers: Int {
        switch self {
        case .nothing, .other: 0
        case .texts, .textViews: 3
        case .booleans, .integers, .floats, .decimals, .dates, .times, .lists, .codes: 2
        }
    }

    /// The layout of a type, by its format string:
    /// https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings
    fileprivate init(_ schema: ArrowSchema) {
        guard let format = unsafe schema.format.map({ unsafe String(cString: $0) }) else {
            self = .other("")
            return
        }
        let plain = TableLayout(format: format)
        if let dictionary = unsafe schema.dictionary {
            let meaning = unsafe TableLayout(dictionary.pointee)
            if case .integers(let width, let isSigned) = plain, !meaning.isNested {
                self = .codes(width: width, isSigned: isSigned, of: meaning)
            } else {
                self = .other(
                    "a dictionary of \(unsafe String(cString: dictionary.pointee.format))")
            }
        } else if format == "+l" || format == "+L", unsafe schema.n_children == 1,
            let child = unsafe schema.children?[0],
            case let element = unsafe TableLayout(child.pointee),
            !element.isNested
        {
            self = .lists(offsetWidth: format == "+l" ? 4 : 8, of: element)
        } else {
            self = plain ?? .other(format)
        }
    }

    /// Whether it has more than one value a row, or none that can be read.
    private var isNested: Bool {
        switch self {
        case .lists, .other: true
        default: false
        }
    }

    /// nil for what stands for no single value.
    private init?(format: String) {
        switch format {
        case "n": self = .nothing
        case "b": self = .booleans
        case "c": self = .integers(width: 1, isSigned: true)
        case "C": self = .integers(width: 1, isSigned: false)
        case "s": self = .integers(width: 2, isSigned: true)
        case "S": self = .integers(width: 2, isSigned: false)
        case "i": self = .integers(width: 4, isSigned: true)
        case "I": self = .integers(width: 4, isSigned: false)
        case "l": self = .integers(width: 8, isSigned: true)
        case "L": self = .integers(width: 8, isSigned: false)
        case "e": self = .floats(width: 2)
        case "f": self = .floats(width: 4)
        case "g": self = .floats(width: 8)
        case "u": self = .texts(offsetWidth: 4)
        case "U": self = .texts(offsetWidth: 8)
        case "vu": self = .textViews
        case "tdD": self = .dates
        default:
            if let decimal = TableLayout(decimal: format) ?? TableLayout(time: format) {
                self = decimal
            } else {
                return nil
            }
        }
    }

    /// `d:18,4` or `d:9,4,32`.
    private init?(decimal format: String) {
        guard format.hasPrefix("d:") else { return nil }
        let numbers = format.dropFirst(2).split(separator: ",").map { Int($0) }
        guard (2...3).contains(numbers.count), let scale = numbers[1],
            (-100...100).contains(scale), let bits = numbers.count == 3 ? numbers[2] : 128,
            [32, 64, 128].contains(bits)
        else { return nil }
        self = .decimals(width: bits / 8, scale: scale)
    }

    /// `tsm:Europe/Berlin`, or `tsm:` without a zone.
    private init?(time format: String) {
        let units: [Character: Int64] = ["s": 1, "m": 1000, "u": 1_000_000, "n": 1_000_000_000]
        let head = format.prefix(4)
        guard head.hasPrefix("ts"), head.hasSuffix(":"), let unit = head.dropFirst(2).first,
            let perSecond = units[unit]
        else { return nil }
        self = .times(perSecond: perSecond, hasZone: format.utf8.count > 4)
    }
}
