import WinnowModel

/// How values are written, where other programs write them in other ways.
struct ValueRules: Sendable {
    /// What is between the values of a set in a cell of CSV.
    private let setSeparator: UInt8
    /// Whether blanks around values of a set go, and values may stand in quotes.
    private let isLoose: Bool
    /// The instant of a time without an offset, both in milliseconds since 1970.
    let instantOfWall: @Sendable (Int64) -> Int64

    /// The rules of sets alone, with a separator as other programs write them.
    init(setSeparator: UInt8) {
        self.setSeparator = setSeparator
        isLoose = true
        instantOfWall = { $0 }
    }

    init(_ options: LoadOptions, instantOfWall: @escaping @Sendable (Int64) -> Int64) {
        setSeparator = options.setSeparator?.asciiValue ?? UInt8(ascii: "|")
        isLoose = options.setSeparator != nil
        self.instantOfWall = instantOfWall
    }

    /// For messages: what the cell of a set is.
    var expectedSet: String {
        let separator = String(UnicodeScalar(setSeparator))
        return "a backslash only before \(separator) or \\"
            + (isLoose ? ", and quotes around a whole value" : "")
    }

    /// The values of a set as one cell has them: with blanks around them, which go, and in quotes
    /// if need be; a backslash stands before a separator, or a backslash, that belongs to a value.
    /// nil for a cell that breaks these rules.
    func values(of cell: UnsafeRawBufferPointer) -> [[UInt8]]? {
        var values: [[UInt8]] = []
        var i = 0
        func skipBlanks() {
            while isLoose, unsafe i < cell.count && isBlank(cell[i]) { i += 1 }
        }
        while true {
            skipBlanks()
            var value: [UInt8] = []
            if isLoose, i < cell.count, unsafe cell[i] == UInt8(ascii: "\"") {
                i += 1
                while true {
                    guard i < cell.count else { return nil }
                    let byte = unsafe cell[i]
                    i += 1
                    if byte == UInt8(ascii: "\"") {
                        guard i < cell.count, unsafe cell[i] == UInt8(ascii: "\"") else { break }
                        i += 1
                    }
                    value.append(byte)
                }
                skipBlanks()
                guard unsafe i == cell.count || cell[i] == setSeparator else { return nil }
            } else {
                while i < cell.count, unsafe cell[i] != setSeparator {
                    if unsafe cell[i] == UInt8(ascii: "\\") {
                        i += 1
                        guard i < cell.count,
                            unsafe cell[i] == setSeparator || cell[i] == UInt8(ascii: "\\")
                        else { return nil }
                    }
                    unsafe value.append(cell[i])
                    i += 1
                }
                while isLoose, let last = value.last, isBlank(last) { value.removeLast() }
            }
            values.append(value)
            if i == cell.count { return values }
            i += 1
        }
    }
}
