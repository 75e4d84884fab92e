import Bitmaps
import Format
import Model

/// Writes the profiles part of a batch; the grammar stands at `ProfilePart`.
package struct ProfilePartWriter {
    private let part: PartWriter
    private var fields = ByteWriter()
    private var fieldCount: UInt32 = 0
    private var blocks = ByteWriter()
    private var blockCount = 0
    private var offset = 0

    package static func write(
        _ batch: ProfileBatch, _ schema: Schema, to part: PartWriter
    ) throws(WinnowError) -> PartReference {
        var writer = ProfilePartWriter(part: part)
        try part.begin(.fieldValues)
        for (field, column) in zip(schema.fields, batch.columns) where !column.rows.isEmpty {
            try writer.append(field, column)
        }
        try part.begin(.fieldBlocks)
        try part.append(writer.blocks.bytes)
        try part.begin(.fields)
        var head = ByteWriter()
        head.put(writer.fieldCount)
        try part.append(head.bytes + writer.fields.bytes)
        return try part.finish()
    }

    private init(part: PartWriter) { self.part = part }

    private mutating func append(_ field: Field, _ column: ProfileBatch.Column) throws(WinnowError) {
        let (rows, cells) = column.settled()
        let encoder = FieldEncoder(field, column, rows: rows, cells: cells)
        fields.put(string: field.name.utf8)
        fields.put(encoder.form.rawValue)
        fields.put(UInt64(offset))
        fields.put(UInt64(encoder.dictionary.count))
        try put(encoder.dictionary)
        let ranges = blockRanges(rows)
        fields.put(UInt32(clamping: ranges.count))
        fields.put(UInt32(clamping: blockCount))
        let encoded = try concurrentMap(ranges.count) { (i) throws(WinnowError) in try encoder.block(ranges[i]) }
        for (range, bytes) in zip(ranges, encoded) {
            blocks.put(rows[range.lowerBound] >> 16)
            blocks.put(UInt32(0))
            blocks.put(UInt64(offset))
            blocks.put(UInt64(bytes.count))
            try put(bytes)
        }
        blockCount += ranges.count
        fieldCount += 1
    }

    private mutating func put(_ bytes: [UInt8]) throws(WinnowError) {
        try part.append(bytes)
        part.align(to: 8)
        offset += (bytes.count + 7) / 8 * 8
    }

    private func blockRanges(_ rows: [UInt32]) -> [Range<Int>] {
        var result: [Range<Int>] = [], start = 0
        for i in 1..<rows.count + 1 where i == rows.count || rows[i] >> 16 != rows[start] >> 16 {
            result.append(start..<i)
            start = i
        }
        return result
    }
}

/// One field of a batch on its way into blocks.
private struct FieldEncoder: Sendable {
    let form: ProfilePart.Form
    /// In its stored form; empty for forms without one.
    let dictionary: [UInt8]
    private let column: ProfileBatch.Column
    private let rows: [UInt32]
    private let cells: [Int]
    /// Strings: text code → dictionary code. Sets: text code → dictionary codes.
    private let codes: [Int64]
    private let sets: [[Int]]

    init(_ field: Field, _ column: ProfileBatch.Column, rows: [UInt32], cells: [Int]) {
        self.column = column
        self.rows = rows
        self.cells = cells
        let texts = column.texts
        switch field.type {
        case .integer, .decimal, .boolean, .date, .datetime:
            (form, dictionary, codes, sets) = (.numbers, [], [], [])
        case .string where texts.count > Tuning.dictionaryStrings && texts.count * 4 > rows.count:
            (form, dictionary, codes, sets) = (.texts, [], [], [])
        case .string:
            form = .codes
            sets = []
            let strings = (0..<texts.count).map { Array(texts.bytes($0)) }
            (dictionary, codes) = FieldEncoder.dictionary(strings)
        case .stringSet:
            form = .sets
            let split = (0..<texts.count).map { ProfileBatch.split(texts.bytes($0)).map(Array.init) }
            let distinct = Array(Set(split.joined()))
            let (stored, order) = FieldEncoder.dictionary(distinct)
            let position = Dictionary(zip(distinct, order.map(Int.init)), uniquingKeysWith: { first, _ in first })
            dictionary = stored
            codes = []
            sets = split.map { $0.compactMap { position[$0] } }
        }
    }

    /// The strings in ascending order, stored, and each one's place in it.
    private static func dictionary(_ strings: [[UInt8]]) -> (stored: [UInt8], codes: [Int64]) {
        let order = strings.indices.sorted { strings[$0].lexicographicallyPrecedes(strings[$1]) }
        var codes = [Int64](repeating: 0, count: strings.count)
        var ends: [Int64] = [], text: [UInt8] = []
        for (code, index) in order.enumerated() {
            codes[index] = Int64(code)
            text.append(contentsOf: strings[index])
            ends.append(Int64(text.count))
        }
        var out = ByteWriter()
        PackedColumn.append(ends, to: &out)
        return (out.bytes + text, codes)
    }

    func block(_ range: Range<Int>) throws(WinnowError) -> [UInt8] {
        var out = ByteWriter()
        let touched = range.map { UInt16(truncatingIfNeeded: rows[$0]) }
        FieldBlock.append(container: touched, to: &out)
        let set = range.filter { !column.cleared[cells[$0]] }
        let members = set.map { UInt16(truncatingIfNeeded: rows[$0]) }
        let values = set.map { column.values[cells[$0]] }
        switch form {
        case .numbers: SlicedBlock.append(rows: members, values: values, to: &out)
        case .codes: SlicedBlock.append(rows: members, values: values.map { codes[Int($0)] }, to: &out)
        case .texts:
            FieldBlock.append(container: members, to: &out)
            var texts = TextFrames.Writer()
            for value in values { try texts.add(column.texts.bytes(Int(value))) }
            try texts.finish(to: &out)
        case .sets: SetBlock.append(rows: members, sets: values.map { sets[Int($0)] }, to: &out)
        }
        return out.bytes
    }
}

extension ProfileBatch {
    /// Says again what a part says; parts must come oldest first.
    package mutating func append(_ part: ProfilePart, _ schema: Schema) throws(WinnowError) {
        for (i, field) in schema.fields.enumerated() {
            guard let index = part.field(field.name) else { continue }
            let dictionary = index.form == .codes || index.form == .sets ? try part.dictionary(index) : nil
            for block in try part.blocks(index) {
                guard let values = try part.block(index, block) else { continue }
                try append(i, block, values, index.form, dictionary)
            }
        }
    }

    private mutating func append(
        _ field: Int, _ block: Int, _ values: FieldBlock, _ form: ProfilePart.Form, _ dictionary: FieldDictionary?
    ) throws(WinnowError) {
        let first = UInt32(block) << 16
        let members = values.members.allRows, touched = values.touched.allRows
        if members.count < touched.count {
            let set = Set(members)
            for row in touched where !set.contains(row) { clear(field: field, row: first | UInt32(row)) }
        }
        switch values.column {
        case .sliced(let sliced):
            for (row, value) in zip(members, sliced.values(rows: members)) {
                if let dictionary {
                    guard value >= 0, value < dictionary.count else { continue }
                    set(field: field, row: first | UInt32(row), text: dictionary[Int(value)])
                } else {
                    set(field: field, row: first | UInt32(row), number: value)
                }
            }
        case .texts(let texts):
            var found: [(UInt16, [UInt8])] = []
            try texts.forEach { rank, text in found.append((members[rank], Array(text))) }
            for (row, text) in found {
                text.withUnsafeBytes { set(field: field, row: first | UInt32(row), text: $0) }
            }
        case .sets(let sets):
            var collected: [UInt16: [[UInt8]]] = [:]
            for i in 0..<sets.values {
                let (code, rows) = try sets.value(i)
                guard let dictionary, code < dictionary.count else { continue }
                for row in rows.allRows { collected[row, default: []].append(Array(dictionary[code])) }
            }
            for row in members { set(field: field, row: first | UInt32(row), values: collected[row] ?? []) }
        }
    }
}

extension Container {
    /// The rows, ascending.
    package var allRows: [UInt16] {
        [UInt16](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { rows(into: base) }
            filled = count
        }
    }
}
