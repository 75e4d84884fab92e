import WinnowModel

/// Makes lines of the rows of a JSON text, a row a line, as the text comes in: the text is one value
/// or several, each an array of rows or one row, or has them where a path leads.
struct JSONRowSplitter {
    private let path: [[UInt8]]
    /// Whether the path has led somewhere.
    private(set) var found = false
    /// What is open, from the outside in.
    private var open: [Container] = []
    /// How much is open inside the array of rows; nil outside of it.
    private var rowsDepth: Int?
    /// How much is open outside of the row that is being taken; nil between rows.
    private var rowDepth: Int?
    /// Whether that row is a single value, which ends with what follows it.
    private var isScalar = false
    private var inString = false
    private var isEscaped = false
    /// The key that is being read.
    private var key: [UInt8]?

    private struct Container {
        let isObject: Bool
        var key: [UInt8] = []
        var index = 0
        var expectsKey: Bool
    }

    init(_ path: Mapping.Path?) { self.path = path?.keys ?? [] }

    /// Whether the text may end here.
    var isComplete: Bool { open.isEmpty && !inString && (rowDepth == nil || isScalar) }

    /// Takes some of the text and appends what rows it gives.
    mutating func take(
        _ text: UnsafeRawBufferPointer, into lines: inout [UInt8]
    ) throws(WinnowError) {
        for i in 0..<text.count {
            let byte = unsafe text[i]
            if inString {
                takeInString(byte, &lines)
                continue
            }
            if isScalar, rowDepth != nil, JSONRowSplitter.ends(byte) { endRow(&lines) }
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D:
                if rowDepth != nil { lines.append(0x20) }
            case UInt8(ascii: "{"), UInt8(ascii: "["): begin(byte, &lines)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): try end(byte, &lines)
            case UInt8(ascii: ","):
                if rowDepth != nil { lines.append(byte) }
                if let last = open.indices.last {
                    open[last].index += 1
                    open[last].expectsKey = open[last].isObject
                }
            case UInt8(ascii: ":"):
                if rowDepth != nil { lines.append(byte) }
                if let last = open.indices.last { open[last].expectsKey = false }
            default:
                if rowDepth == nil, !isKeyNext, isRowNext { beginRow(scalar: true) }
                if byte == UInt8(ascii: "\"") {
                    inString = true
                    if rowDepth == nil, isKeyNext { key = [] }
                }
                if rowDepth != nil { lines.append(byte) }
            }
        }
    }

    /// Ends the text.
    mutating func finish(into lines: inout [UInt8]) { if rowDepth != nil { endRow(&lines) } }

    private mutating func takeInString(_ byte: UInt8, _ lines: inout [UInt8]) {
        if rowDepth != nil { lines.append(byte == 0x0A ? 0x20 : byte) }
        if isEscaped {
            isEscaped = false
            key?.append(byte)
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
            if let key, let last = open.indices.last { open[last].key = key }
            key = nil
        } else {
            key?.append(byte)
        }
    }

    private var isKeyNext: Bool { open.last?.expectsKey ?? false }

    /// Whether the value that begins here is a row, or the array of rows.
    private var isRowNext: Bool { rowsDepth == open.count || isAtPath }

    private var isAtPath: Bool {
        guard rowsDepth == nil, open.count == path.count else { return false }
        return zip(open, path).allSatisfy { container, key in
            container.isObject
                ? container.key == key : Array(String(container.index).utf8) == key
        }
    }

    private mutating func begin(_ byte: UInt8, _ lines: inout [UInt8]) {
        let isObject = byte == UInt8(ascii: "{")
        if rowDepth == nil {
            if isAtPath, !isObject {
                found = true
                rowsDepth = open.count + 1
            } else if isRowNext {
                beginRow(scalar: false)
            }
        }
        if rowDepth != nil { lines.append(byte) }
        open.append(Container(isObject: isObject, expectsKey: isObject))
    }

    private mutating func end(_ byte: UInt8, _ lines: inout [UInt8]) throws(WinnowError) {
        guard let last = open.popLast(), last.isObject == (byte == UInt8(ascii: "}")) else {
            throw .badData(
                file: "", line: nil, column: nil, code: .malformedJSON,
                reason: "the JSON has “\(Unicode.Scalar(byte))” where nothing is open")
        }
        if let depth = rowDepth {
            lines.append(byte)
            if !isScalar, open.count == depth { endRow(&lines) }
        } else if let depth = rowsDepth, open.count < depth {
            rowsDepth = nil
        }
    }

    private mutating func beginRow(scalar: Bool) {
        found = true
        rowDepth = open.count
        isScalar = scalar
    }

    private mutating func endRow(_ lines: inout [UInt8]) {
        lines.append(0x0A)
        rowDepth = nil
        isScalar = false
    }

    private static func ends(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")]
            .contains(byte)
    }
}
