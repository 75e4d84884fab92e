import WinnowModel

/// Makes lines of the rows of a JSON text, a row a line, as the text comes in: the text is one value
/// or several, each an array of rows or one row, or has them where a path leads.
struct JSONRowSplitter {
    private let path: [[UInt8]]
    private let file: String
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
    /// Whether a single value outside of rows is being read.
    private var inScalar = false
    /// The key that is being read.
    private var key: [UInt8]?

    private struct Container {
        let isObject: Bool
        var key: [UInt8] = []
        var index = 0
        var next = Next.firstOrEnd
    }

    /// What may come next in a container; an item of an object is a key.
    private enum Next { case firstOrEnd, item, colon, value, commaOrEnd }

    /// - Parameter file: the name, for messages.
    init(_ path: Mapping.Path?, file: String) {
        self.path = path?.keys ?? []
        self.file = file
    }

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
            if JSONRowSplitter.ends(byte) { endScalar(&lines) }
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D:
                if rowDepth != nil { lines.append(0x20) }
            case UInt8(ascii: "{"), UInt8(ascii: "["): try begin(byte, &lines)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): try end(byte, &lines)
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                if rowDepth != nil { lines.append(byte) } else { try part(byte) }
            default: try takeInScalar(byte, &lines)
            }
        }
    }

    /// Takes a comma or colon outside of rows.
    private mutating func part(_ byte: UInt8) throws(WinnowError) {
        guard let last = open.indices.last else { throw unexpected(byte) }
        if byte == UInt8(ascii: ":") {
            guard open[last].next == .colon else { throw unexpected(byte) }
            open[last].next = .value
        } else {
            guard open[last].next == .commaOrEnd else { throw unexpected(byte) }
            open[last].next = .item
            open[last].index += 1
        }
    }

    /// Takes a byte of a number, a word or a key, or a quote before a string.
    private mutating func takeInScalar(
        _ byte: UInt8, _ lines: inout [UInt8]
    ) throws(WinnowError) {
        let isQuote = byte == UInt8(ascii: "\"")
        if rowDepth == nil, !inScalar {
            if isKeyNext {
                guard isQuote else { throw unexpected(byte) }
                key = []
            } else {
                guard isValueNext else { throw unexpected(byte) }
                if isRowNext { beginRow(scalar: true) } else { inScalar = true }
            }
        } else if rowDepth == nil, isQuote {
            throw unexpected(byte)
        }
        inString = isQuote
        if rowDepth != nil { lines.append(byte) }
    }

    /// Ends the text.
    mutating func finish(into lines: inout [UInt8]) { if rowDepth != nil { endRow(&lines) } }

    private mutating func takeInString(_ byte: UInt8, _ lines: inout [UInt8]) {
        // A line break has no place in a string. As a carriage return it stays in its row, which is
        // refused for it.
        if rowDepth != nil { lines.append(byte == 0x0A ? 0x0D : byte) }
        if isEscaped {
            isEscaped = false
            key?.append(byte)
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
            if let key, let last = open.indices.last {
                open[last].key = key
                open[last].next = .colon
            }
            key = nil
        } else {
            key?.append(byte)
        }
    }

    private var isKeyNext: Bool {
        guard let last = open.last, last.isObject else { return false }
        return last.next == .firstOrEnd || last.next == .item
    }

    private var isValueNext: Bool {
        guard let last = open.last else { return true }
        return last.isObject ? last.next == .value : last.next != .commaOrEnd
    }

    /// Whether the value that begins here is a row, or the array of rows.
    private var isRowNext: Bool { rowsDepth == open.count || isAtPath }

    private var isAtPath: Bool {
        guard rowsDepth == nil, open.count == path.count else { return false }
        return zip(open, path).allSatisfy { container, key in
            container.isObject
                ? container.key == key : Array(String(container.index).utf8) == key
        }
    }

    private mutating func begin(
        _ byte: UInt8, _ lines: inout [UInt8]
    ) throws(WinnowError) {
        let isObject = byte == UInt8(ascii: "{")
        if rowDepth == nil {
            guard isValueNext, !inScalar else { throw unexpected(byte) }
            if isAtPath, !isObject {
                found = true
                rowsDepth = open.count + 1
            } else if isRowNext {
                beginRow(scalar: false)
            }
        }
        if rowDepth != nil { lines.append(byte) }
        open.append(Container(isObject: isObject))
    }

    private mutating func end(_ byte: UInt8, _ lines: inout [UInt8]) throws(WinnowError) {
        guard let last = open.popLast(), last.isObject == (byte == UInt8(ascii: "}")),
            rowDepth != nil || last.next == .firstOrEnd || last.next == .commaOrEnd
        else { throw unexpected(byte) }
        if let depth = rowDepth {
            lines.append(byte)
            if open.count == depth { endRow(&lines) }
        } else {
            if let depth = rowsDepth, open.count < depth { rowsDepth = nil }
            endValue()
        }
    }

    private func unexpected(_ byte: UInt8) -> WinnowError {
        .badData(
            file: file, line: nil, column: nil, code: .malformedJSON,
            reason: "the JSON has “\(Unicode.Scalar(byte))” where it cannot be")
    }

    private mutating func endValue() {
        if let last = open.indices.last { open[last].next = .commaOrEnd }
    }

    /// Ends a single value, when there is one.
    private mutating func endScalar(_ lines: inout [UInt8]) {
        if isScalar, rowDepth != nil {
            endRow(&lines)
        } else if inScalar {
            inScalar = false
            endValue()
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
        endValue()
    }

    private static func ends(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"),
            UInt8(ascii: "}"):
            true
        default: false
        }
    }
}
