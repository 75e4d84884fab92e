import WinnowFormat
import WinnowJSON
import WinnowModel

/// The values of one column in one batch of a table, as cells. What is written down for a cell, such
/// as a number's digits, is in `text`.
@safe struct TableCells {
    private let layout: TableLayout
    private let column: TableColumn
    /// Elements of lists, or what codes stand for.
    private let inner: [TableCells]

    init(_ layout: TableLayout, _ column: TableColumn) {
        self.layout = layout
        self.column = column
        inner =
            switch layout {
            case .lists(_, let inner), .codes(_, _, let inner):
                column.inner.map { TableCells(inner, $0) }
            default: []
            }
    }

    /// Values that are there.
    private var count: Int { column.count - column.offset }

    /// The cell of a row of the batch.
    /// - Throws: `badUTF8`; `badValue` for what points outside of its buffer.
    func cell(_ row: Int, _ text: inout CellText) throws(BadRow) -> InputCell {
        let i = column.offset + row
        if let validity = unsafe column.validity,
            unsafe validity[i >> 3] >> UInt8(i & 7) & 1 == 0
        {
            return InputCell()
        }
        return try value(i, &text)
    }

    private func value(_ i: Int, _ text: inout CellText) throws(BadRow) -> InputCell {
        guard let values = unsafe column.values else {
            return InputCell()
        }
        switch layout {
        case .nothing, .other: return InputCell()
        case .booleans:
            let isTrue =
                unsafe values.load(fromByteOffset: i >> 3, as: UInt8.self) >> (i & 7) & 1 == 1
            return .boolean(isTrue)
        case .integers(let width, let isSigned):
            let value = unsafe TableCells.integer(values, i, width, isSigned)
            return unsafe InputCell(kind: .number, bytes: text.keep(value))
        case .floats(let width):
            return unsafe TableCells.float(values, i, width, &text)
        case .decimals(let width, let scale):
            let value = unsafe TableCells.integer(values, i, width, true)
            return unsafe InputCell(
                kind: .number,
                bytes: text.keep(TableCells.decimal(value, scale: scale).utf8))
        case .dates:
            let day = unsafe values.loadUnaligned(fromByteOffset: i * 4, as: Int32.self)
            return unsafe InputCell(
                kind: .string, bytes: text.keep(CivilDate(day: Int(day)).description.utf8))
        case .times(let perSecond, let hasZone):
            let value = unsafe values.loadUnaligned(fromByteOffset: i * 8, as: Int64.self)
            guard let milliseconds = TableCells.milliseconds(value, perSecond) else {
                return unsafe InputCell(kind: .string, bytes: text.keep("\(value)".utf8))
            }
            return unsafe InputCell(
                kind: hasZone ? .instant : .wallTime, bytes: text.keep(raw: milliseconds))
        case .texts(let width):
            return unsafe InputCell(
                kind: .csv, isQuoted: true, bytes: try TableCells.valid(ends(i, width)))
        case .textViews:
            return unsafe InputCell(
                kind: .csv, isQuoted: true, bytes: try TableCells.valid(view(i)))
        case .codes(let width, let isSigned, _):
            let code = unsafe TableCells.integer(values, i, width, isSigned)
            guard let meaning = inner.first, code >= 0, code < Int128(meaning.count) else {
                throw .outside("the code \(code)")
            }
            return try meaning.cell(Int(code), &text)
        case .lists(let width, _):
            let bytes = try unsafe array(i, width, &text)
            return unsafe InputCell(kind: .compound, bytes: bytes)
        }
    }

    // MARK: Texts

    /// A text between two ends.
    private func ends(_ i: Int, _ width: Int) throws(BadRow) -> UnsafeRawBufferPointer {
        let range = try range(i, width)
        guard !range.isEmpty, let base = unsafe column.texts.first ?? nil else {
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// From one end to the next.
    private func range(_ i: Int, _ width: Int) throws(BadRow) -> Range<Int> {
        guard let values = unsafe column.values else { return 0..<0 }
        let start: Int
        let end: Int
        if width == 4 {
            start = Int(unsafe values.loadUnaligned(fromByteOffset: i * 4, as: Int32.self))
            end = Int(unsafe values.loadUnaligned(fromByteOffset: i * 4 + 4, as: Int32.self))
        } else {
            start = Int(unsafe values.loadUnaligned(fromByteOffset: i * 8, as: Int64.self))
            end = Int(unsafe values.loadUnaligned(fromByteOffset: i * 8 + 8, as: Int64.self))
        }
        guard start >= 0, end >= start else { throw .outside("the offsets \(start) and \(end)") }
        return start..<end
    }

    /// A short text that stands in its view, or a long one in one of the buffers.
    private func view(_ i: Int) throws(BadRow) -> UnsafeRawBufferPointer {
        guard let values = unsafe column.values else {
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        let view = unsafe values + i * 16
        let count = Int(unsafe view.loadUnaligned(as: Int32.self))
        if (0...12).contains(count) {
            return unsafe UnsafeRawBufferPointer(start: view + 4, count: count)
        }
        let buffer = Int(unsafe view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        let start = Int(unsafe view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
        guard count > 0, start >= 0, unsafe column.texts.indices.contains(buffer),
            let size = unsafe column.textSizes?[buffer], start + count <= size,
            let base = unsafe column.texts[buffer]
        else { throw .outside("a view of \(count) bytes") }
        return unsafe UnsafeRawBufferPointer(start: base + start, count: count)
    }

    private static func valid(
        _ text: UnsafeRawBufferPointer
    ) throws(BadRow) -> UnsafeRawBufferPointer {
        guard text.count <= LoadLimits.line else {
            throw BadRow(column: nil, code: .longLine, reason: "the value is longer than 16 MiB")
        }
        guard unsafe text.isASCII || String(validating: text, as: UTF8.self) != nil else {
            throw BadRow(column: nil, code: .badUTF8, reason: "the value is not UTF-8")
        }
        return unsafe text
    }

    /// A shorter way to the cells of some rows, which have been checked; nil where there is none, or
    /// where one of them is bad.
    func plain(_ rows: Range<Int>) -> PlainCells? {
        guard let values = unsafe column.values, !rows.isEmpty, isAligned else { return nil }
        let way: PlainCells.Way
        var meaning: PlainTexts?
        switch layout {
        case .times(let perSecond, true):
            return unsafe PlainCells(
                way: .instants, offset: column.offset, validity: column.validity, values: values,
                texts: nil, perSecond: perSecond)
        case .texts, .textViews:
            guard let texts = plainTexts(rows) else { return nil }
            way = .texts
            meaning = texts
        case .codes(let width, _, _):
            guard let inner = inner.first, inner.count > 0, inner.count < Int(Int32.max),
                width <= 4,
                let texts = inner.plainTexts(0..<inner.count), areCodes(rows, width)
            else { return nil }
            switch width {
            case 1: way = .codes1
            case 2: way = .codes2
            default: way = .codes4
            }
            meaning = texts
        default: return nil
        }
        return unsafe PlainCells(
            way: way, offset: column.offset, validity: column.validity, values: values,
            texts: meaning)
    }

    /// Whether values stand where the processor likes to find them; others are read byte by byte.
    private var isAligned: Bool {
        let width =
            switch layout {
            case .texts(let width), .codes(let width, _, _): width
            case .textViews: 4
            default: 8
            }
        return unsafe UInt(bitPattern: column.values) % UInt(width) == 0
    }

    /// Whether the codes of some rows, where there are values, stand for something.
    private func areCodes(_ rows: Range<Int>, _ width: Int) -> Bool {
        guard let values = unsafe column.values, let inner = inner.first else { return false }
        for row in rows {
            let i = column.offset + row
            let code = unsafe TableCells.integer(values, i, width, false)
            let isThere = unsafe PlainCells.has(i, column.validity)
            guard !isThere || code < Int128(inner.count) else { return false }
        }
        return true
    }

    /// Texts of some rows, which have been checked; nil where the layout has none, or one is bad.
    private func plainTexts(_ rows: Range<Int>) -> PlainTexts? {
        guard let values = unsafe column.values, !rows.isEmpty, isAligned else { return nil }
        let texts = unsafe column.texts.first ?? nil
        let way: PlainTexts.Way
        switch layout {
        case .texts(4):
            let ends = unsafe values.assumingMemoryBound(to: Int32.self)
            guard unsafe TableCells.isPlain(texts, ends, column.offset, rows) else { return nil }
            way = .shortEnds
        case .texts:
            let ends = unsafe values.assumingMemoryBound(to: Int64.self)
            guard unsafe TableCells.isPlain(texts, ends, column.offset, rows) else { return nil }
            way = .longEnds
        case .textViews:
            for row in rows {
                guard let text = try? unsafe view(column.offset + row),
                    text.count <= LoadLimits.line, unsafe text.isASCII
                else { return nil }
            }
            way = .views
        default: return nil
        }
        return unsafe PlainTexts(
            way: way, count: count, offset: column.offset, validity: column.validity,
            values: values, bytes: texts, buffers: column.texts)
    }

    /// Whether texts follow each other, are ASCII, and none is too long.
    private static func isPlain<End: FixedWidthInteger>(
        _ texts: UnsafeRawPointer?, _ ends: UnsafePointer<End>, _ offset: Int, _ rows: Range<Int>
    ) -> Bool {
        let ends = unsafe ends + offset
        let first = unsafe ends[rows.lowerBound]
        guard first >= 0 else { return false }
        var end = first
        var isSteady = true
        for row in rows {
            let next = unsafe ends[row + 1]
            isSteady = isSteady && next >= end && next - end <= LoadLimits.line
            end = next
        }
        guard isSteady else { return false }
        guard end > first else { return true }
        guard let texts = unsafe texts else { return false }
        return unsafe UnsafeRawBufferPointer(start: texts + Int(first), count: Int(end - first))
            .isASCII
    }

    // MARK: Lists

    /// A list of strings as JSON.
    private func array(
        _ i: Int, _ width: Int, _ text: inout CellText
    ) throws(BadRow) -> UnsafeRawBufferPointer {
        let range = try range(i, width)
        var json: [UInt8] = [UInt8(ascii: "[")]
        if !range.isEmpty {
            guard let cells = inner.first, range.upperBound <= cells.count else {
                throw .outside("the offset \(range.upperBound)")
            }
            for element in range {
                if element > range.lowerBound { json.append(contentsOf: ", ".utf8) }
                try cells.cell(element, &text).appendJSON(to: &json)
            }
        }
        json.append(UInt8(ascii: "]"))
        return unsafe text.keep(json)
    }

    // MARK: Numbers

    private static func integer(
        _ values: UnsafeRawPointer, _ i: Int, _ width: Int, _ isSigned: Bool
    ) -> Int128 {
        func load<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> Int128 {
            Int128(
                truncatingIfNeeded: unsafe values.loadUnaligned(
                    fromByteOffset: i * width, as: Value.self))
        }
        switch (width, isSigned) {
        case (1, true): return load(Int8.self)
        case (1, false): return load(UInt8.self)
        case (2, true): return load(Int16.self)
        case (2, false): return load(UInt16.self)
        case (4, true): return load(Int32.self)
        case (4, false): return load(UInt32.self)
        case (8, true): return load(Int64.self)
        case (8, false): return load(UInt64.self)
        default: return load(Int128.self)
        }
    }

    /// The shortest decimal that reads back; no value for NaN.
    private static func float(
        _ values: UnsafeRawPointer, _ i: Int, _ width: Int, _ text: inout CellText
    ) -> InputCell {
        func cell(_ value: some BinaryFloatingPoint & BitwiseCopyable & LosslessStringConvertible)
            -> InputCell
        {
            if value.isNaN { return InputCell() }
            // Without an exponent, which whole numbers do not have.
            if let whole = Int64(exactly: value) {
                return unsafe InputCell(kind: .number, bytes: text.keep(Int128(whole)))
            }
            return unsafe InputCell(kind: .number, bytes: text.keep(value.description.utf8))
        }
        switch width {
        case 2: return cell(unsafe values.loadUnaligned(fromByteOffset: i * 2, as: Float16.self))
        case 4: return cell(unsafe values.loadUnaligned(fromByteOffset: i * 4, as: Float.self))
        default: return cell(unsafe values.loadUnaligned(fromByteOffset: i * 8, as: Double.self))
        }
    }

    /// Units of 10^−scale, without zeros at the end.
    static func decimal(_ value: Int128, scale: Int) -> String {
        var digits = String(value.magnitude)
        if scale < 0, value != 0 { digits += String(repeating: "0", count: -scale) }
        if scale > 0 {
            let missing = scale + 1 - digits.utf8.count
            if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
            let fraction = digits.suffix(scale).reversed().drop { $0 == "0" }.reversed()
            digits = digits.dropLast(scale) + (fraction.isEmpty ? "" : "." + String(fraction))
        }
        return (value < 0 ? "-" : "") + digits
    }

    /// Milliseconds, digits below these cut; nil beyond 64 bits.
    static func milliseconds(_ value: Int64, _ perSecond: Int64) -> Int64? {
        if perSecond >= 1000 { return floorDivide(value, perSecond / 1000) }
        let (product, overflow) = value.multipliedReportingOverflow(by: 1000 / perSecond)
        return overflow ? nil : product
    }
}

/// Texts that need no more than a look. There is nothing in it that would be counted.
@safe struct PlainTexts {
    fileprivate enum Way: UInt8 { case shortEnds, longEnds, views }
    fileprivate let way: Way
    fileprivate let count: Int
    fileprivate let offset: Int
    fileprivate let validity: UnsafePointer<UInt8>?
    fileprivate let values: UnsafeRawPointer
    fileprivate let bytes: UnsafeRawPointer?
    fileprivate let buffers: UnsafeBufferPointer<UnsafeRawPointer?>

    /// The text of a row; nil where it has none.
    @inline(__always)
    fileprivate func text(_ row: Int) -> UnsafeRawBufferPointer? {
        let i = offset + row
        guard unsafe PlainCells.has(i, validity) else { return nil }
        let start: Int
        let count: Int
        var base = unsafe bytes
        switch way {
        case .shortEnds:
            let ends = unsafe values.assumingMemoryBound(to: Int32.self) + i
            start = unsafe Int(ends[0])
            count = unsafe Int(ends[1]) &- start
        case .longEnds:
            let ends = unsafe values.assumingMemoryBound(to: Int64.self) + i
            start = unsafe Int(ends[0])
            count = unsafe Int(ends[1]) &- start
        case .views:
            let view = unsafe (values + i &* 16).assumingMemoryBound(to: Int32.self)
            count = unsafe Int(view[0])
            if count <= 12 {
                unsafe base = UnsafeRawPointer(view)
                start = 4
            } else {
                unsafe base = buffers[Int(view[2])]
                start = unsafe Int(view[3])
            }
        }
        return unsafe UnsafeRawBufferPointer(start: base.map { unsafe $0 + start }, count: count)
    }
}

/// Cells that need no more than a look.
@safe struct PlainCells {
    fileprivate enum Way: UInt8 { case texts, codes1, codes2, codes4, instants }
    fileprivate let way: Way
    fileprivate let offset: Int
    fileprivate let validity: UnsafePointer<UInt8>?
    fileprivate let values: UnsafeRawPointer
    /// The texts, or those that codes stand for.
    fileprivate let texts: PlainTexts?
    /// Of instants.
    fileprivate var perSecond: Int64 = 1000

    var isText: Bool { texts != nil }
    var isTime: Bool { way == .instants }
    var hasCodes: Bool { way == .codes1 || way == .codes2 || way == .codes4 }
    /// How many texts codes can stand for; 0 where there are no codes.
    var distinct: Int { hasCodes ? texts?.count ?? 0 : 0 }

    @inline(__always)
    fileprivate static func has(_ i: Int, _ validity: UnsafePointer<UInt8>?) -> Bool {
        guard let validity = unsafe validity else { return true }
        return unsafe validity[i >> 3] >> UInt8(i & 7) & 1 == 1
    }

    /// The text that a code stands for; empty where there is none.
    func text(of code: Int) -> UnsafeRawBufferPointer {
        unsafe texts?.text(code) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// The code of a row of the batch, of which is known that it has one.
    @inline(__always)
    private func code(_ i: Int) -> Int {
        switch way {
        case .codes1: unsafe Int(values.load(fromByteOffset: i, as: UInt8.self))
        case .codes2: unsafe Int(values.load(fromByteOffset: i &* 2, as: UInt16.self))
        default: unsafe Int(values.load(fromByteOffset: i &* 4, as: UInt32.self))
        }
    }

    // MARK: Several rows

    /// The texts of rows, empty where there are none.
    static func replace(
        _ out: inout [UnsafeRawBufferPointer], by cells: PlainCells?, _ rows: Range<Int>
    ) {
        unsafe out.removeAll(keepingCapacity: true)
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        guard let cells, let texts = cells.texts else {
            for _ in rows { unsafe out.append(none) }
            return
        }
        if cells.hasCodes {
            for row in rows {
                let i = cells.offset + row
                let isThere = unsafe has(i, cells.validity)
                unsafe out.append(isThere ? texts.text(cells.code(i)) ?? none : none)
            }
        } else if case .shortEnds = texts.way, unsafe texts.validity == nil,
            let bytes = unsafe texts.bytes
        {
            // As most have it.
            let ends = unsafe texts.values.assumingMemoryBound(to: Int32.self) + texts.offset
            var start = unsafe Int(ends[rows.lowerBound])
            for row in rows {
                let end = unsafe Int(ends[row + 1])
                unsafe out.append(
                    UnsafeRawBufferPointer(start: bytes + start, count: end &- start))
                start = end
            }
        } else {
            for row in rows { unsafe out.append(texts.text(row) ?? none) }
        }
    }

    /// Appends the codes of rows, −1 where there are none.
    func append(_ rows: Range<Int>, to out: inout [Int32]) {
        for row in rows {
            let i = offset + row
            let isThere = unsafe PlainCells.has(i, validity)
            out.append(isThere ? Int32(truncatingIfNeeded: code(i)) : -1)
        }
    }

    /// Appends the milliseconds of rows that have a time.
    func append(_ rows: Range<Int>, to out: inout [Int64]) {
        let values = unsafe values.assumingMemoryBound(to: Int64.self)
        for row in rows {
            let i = offset + row
            guard unsafe PlainCells.has(i, validity) else { continue }
            if perSecond == 1000 {
                unsafe out.append(values[i])
            } else if let time = unsafe TableCells.milliseconds(values[i], perSecond) {
                out.append(time)
            }
        }
    }

    // MARK: One row

    /// The cell of a row of the batch; nil where more than a look is needed.
    @inline(__always)
    func cell(_ row: Int) -> InputCell? {
        if way == .instants {
            let i = offset + row
            guard unsafe PlainCells.has(i, validity) else { return InputCell() }
            guard perSecond == 1000 else { return nil }
            return unsafe InputCell(
                kind: .instant, bytes: UnsafeRawBufferPointer(start: values + i &* 8, count: 8))
        }
        var row = row
        if hasCodes {
            let i = offset + row
            guard unsafe PlainCells.has(i, validity) else { return InputCell() }
            row = code(i)
        }
        guard let text = unsafe texts?.text(row) else { return InputCell() }
        return unsafe InputCell(kind: .csv, isQuoted: true, bytes: text)
    }
}

extension BadRow {
    /// - Parameter what: what is wrong in a table that breaks its own rules.
    fileprivate static func outside(_ what: String) -> BadRow {
        BadRow(
            column: nil, code: .badValue, reason: "the table is broken: \(what) leads outside of it"
        )
    }
}

/// Memory for what is written down of cells, until they are done with.
@safe struct CellText {
    private var chunks: [UnsafeMutableRawBufferPointer] = unsafe []
    private var used = 0
    private static let chunk = 1 << 16

    /// Room that stays where it is.
    private mutating func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if unsafe chunks.isEmpty || used + count > chunks[chunks.count - 1].count {
            unsafe chunks.append(
                .allocate(byteCount: max(count, CellText.chunk), alignment: 16))
            used = 0
        }
        defer { used += count }
        return unsafe UnsafeMutableRawBufferPointer(
            rebasing: chunks[chunks.count - 1][used..<used + count])
    }

    mutating func keep(_ bytes: some Collection<UInt8>) -> UnsafeRawBufferPointer {
        let room = unsafe room(bytes.count)
        unsafe room.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(room)
    }

    /// Decimal digits.
    mutating func keep(_ value: Int128) -> UnsafeRawBufferPointer {
        guard let small = Int64(exactly: value) else {
            return unsafe keep(String(value).utf8)
        }
        let room = unsafe room(20)
        var at = 20
        var rest = small.magnitude
        repeat {
            at -= 1
            unsafe room[at] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if small < 0 {
            at -= 1
            unsafe room[at] = UInt8(ascii: "-")
        }
        return unsafe UnsafeRawBufferPointer(rebasing: room[at...])
    }

    /// The eight bytes of a number.
    mutating func keep(raw value: Int64) -> UnsafeRawBufferPointer {
        let room = unsafe room(8)
        unsafe room.storeBytes(of: value, as: Int64.self)
        return UnsafeRawBufferPointer(room)
    }

    /// Gives everything back but the memory.
    mutating func release() {
        while unsafe chunks.count > 1 { unsafe chunks.removeFirst().deallocate() }
        used = 0
    }

    /// Frees the memory.
    mutating func end() {
        for i in unsafe chunks.indices { unsafe chunks[i].deallocate() }
        unsafe chunks.removeAll()
        used = 0
    }
}
