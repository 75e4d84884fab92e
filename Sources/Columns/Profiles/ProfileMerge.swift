import WinnowBitmaps
import WinnowDisk
import WinnowFormat
import WinnowModel
import WinnowThreads

/// Where field values of a new part come from.
package enum ProfileSource: Sendable {
    case part(ProfilePart)
    case batch(ProfileBatch)
}

/// Writes one profiles part from any number of sources, oldest first: of two that speak about the
/// same row and field the later one counts. Loading, spilling and merging are this one path. Fields
/// are merged one after the other, blocks side by side, so a merge needs the memory of a few blocks
/// and one field's dictionary. The grammar is at `ProfilePart`.
package struct ProfileMerge {
    private let part: PartWriter
    private var fields = ByteWriter()
    private var fieldCount: UInt32 = 0
    private var blocks = ByteWriter()
    private var blockCount = 0
    private var offset = 0

    /// - Parameter erased: profiles that are left out; where they are, strings that nobody has any
    ///   more are, too. nil keeps all.
    package static func write(
        _ sources: [ProfileSource], _ schema: Schema, purging erased: ErasedRows? = nil,
        to part: PartWriter
    ) throws(WinnowError) -> PartReference {
        var merge = ProfileMerge(part: part)
        try part.begin(.fieldValues)
        for (number, field) in schema.fields.enumerated() {
            try part.cancellation.check()
            let encoder = try FieldEncoder(
                field, number, sources, compressing: schema.text == .compressed, purging: erased)
            if !encoder.blocks.isEmpty { try merge.append(field, encoder) }
        }
        try part.begin(.fieldBlocks)
        try part.append(merge.blocks.bytes)
        try part.begin(.fields)
        var head = ByteWriter()
        head.put(merge.fieldCount)
        try part.append(head.bytes + merge.fields.bytes)
        return try part.finish()
    }

    private init(part: PartWriter) { self.part = part }

    private mutating func append(_ field: Field, _ encoder: FieldEncoder) throws(WinnowError) {
        fields.put(string: field.name.utf8)
        fields.put(encoder.encoding.rawValue)
        fields.put(UInt64(offset))
        fields.put(UInt64(encoder.dictionary.count))
        try put(encoder.dictionary)
        fields.put(UInt32(clamping: encoder.blocks.count))
        fields.put(UInt32(clamping: blockCount))
        let group = availableCores() * 2
        let cancellation = part.cancellation
        for start in stride(from: 0, to: encoder.blocks.count, by: group) {
            let numbers = encoder.blocks[start..<min(start + group, encoder.blocks.count)]
            let encoded = try concurrentMap(numbers.count) { (i) throws(WinnowError) in
                try cancellation.check()
                return try encoder.block(numbers[numbers.startIndex + i])
            }
            for (number, bytes) in zip(numbers, encoded) {
                blocks.put(number.rawValue)
                blocks.put(UInt32(0))
                blocks.put(UInt64(offset))
                blocks.put(UInt64(bytes.count))
                try put(bytes)
            }
        }
        blockCount += encoder.blocks.count
        fieldCount += 1
    }

    private mutating func put(_ bytes: [UInt8]) throws(WinnowError) {
        try part.append(bytes)
        part.align(to: 8)
        offset += (bytes.count + 7) / 8 * 8
    }
}

/// One field of some sources on its way into blocks.
private struct FieldEncoder: Sendable {
    let encoding: ProfilePart.Encoding
    /// As it is stored; empty for encodings without one.
    private(set) var dictionary: [UInt8]
    /// The blocks that some source speaks about, ascending.
    let blocks: [BlockIndex]
    private var columns: [Column]
    /// Whether strings that hardly repeat are compressed.
    private let compresses: Bool
    private let erased: ErasedRows?

    private struct Column: Sendable {
        enum Values {
            case part(ProfilePart, ProfilePart.FieldIndex, FieldDictionary?)
            case batch(ProfileBatch.Column, ProfileBatch.Column.Settled)
        }
        let values: Values
        /// The source's codes → codes of the dictionary.
        var codes: [Int] = []
        /// A batch's sets as codes of the dictionary.
        var sets: [[Int]] = []
    }

    init(
        _ field: Field, _ number: Int, _ sources: [ProfileSource], compressing compresses: Bool,
        purging erased: ErasedRows?
    ) throws(WinnowError) {
        self.compresses = compresses
        self.erased = erased
        var columns: [Column] = []
        var blocks: Set<BlockIndex> = []
        var rows = 0
        for source in sources {
            switch source {
            case .part(let part):
                guard let index = part.field(field.name) else { continue }
                let own = try part.blocks(index)
                blocks.formUnion(own)
                rows += own.count * Block.rows
                let dictionary =
                    index.encoding == .codes || index.encoding == .sets
                    ? try part.dictionary(index) : nil
                columns.append(Column(values: .part(part, index, dictionary)))
            case .batch(let batch):
                let column = batch.columns[number]
                guard !column.rows.isEmpty else { continue }
                let settled = column.settled()
                var last: BlockIndex?
                for row in settled.rows where row.block != last {
                    last = row.block
                    blocks.insert(row.block)
                }
                rows += settled.rows.count
                columns.append(Column(values: .batch(column, settled)))
            }
        }
        self.blocks = blocks.sorted()
        let possible = ProfilePart.Encoding.possible(for: field.type)
        let prefersTexts =
            possible.contains(.texts) && FieldEncoder.hardlyRepeat(columns, rows: rows)
        encoding = prefersTexts ? .texts : possible[0]
        guard encoding == .codes || encoding == .sets else {
            dictionary = []
            self.columns = columns
            return
        }
        dictionary = FieldEncoder.shareDictionary(&columns, sets: encoding == .sets)
        self.columns = columns
        guard erased != nil else { return }
        // Only after a look at every block it is known which strings somebody still has.
        let used = try usedCodes()
        dictionary = FieldEncoder.shareDictionary(&columns, sets: encoding == .sets, keeping: used)
        self.columns = columns
    }

    private func usedCodes() throws(WinnowError) -> Set<Int> {
        let used = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
            try cells(blocks[i]).usedCodes(encoding)
        }
        return used.reduce(into: []) { $0.formUnion($1) }
    }

    /// Whether strings are too many for a dictionary to pay.
    private static func hardlyRepeat(_ columns: [Column], rows: Int) -> Bool {
        columns.contains { column in
            switch column.values {
            case .part(_, let index, _): index.encoding == .texts
            case .batch(let batch, _):
                batch.texts.count > Tuning.dictionaryStrings && batch.texts.count * 4 > rows
            }
        }
    }

    /// Gives all columns one dictionary, ascending by bytes, and returns it as it is stored.
    /// - Parameter used: of the codes that an earlier call gave, those that are wanted; nobody has
    ///   the other strings.
    private static func shareDictionary(
        _ columns: inout [Column], sets: Bool, keeping used: Set<Int>? = nil
    ) -> [UInt8] {
        var all = StringInterner(first: 0)
        func code(_ string: UnsafeRawBufferPointer) -> Int { unsafe Int(all.intern(string) ?? 0) }
        for i in columns.indices {
            switch columns[i].values {
            case .part(_, _, let dictionary):
                guard let dictionary else { continue }
                columns[i].codes = (0..<dictionary.count).map { unsafe code(dictionary[$0]) }
            case .batch(let batch, _) where sets:
                columns[i].sets = (0..<batch.texts.count).map { text in
                    ProfileBatch.split(batch.texts.bytes(text)).map {
                        unsafe $0.withUnsafeBytes(code)
                    }
                }
            case .batch(let batch, _):
                columns[i].codes = (0..<batch.texts.count).map {
                    unsafe batch.texts.bytes($0).withUnsafeBytes(code)
                }
            }
        }
        var order = (0..<all.count).sorted {
            all.bytes($0).lexicographicallyPrecedes(all.bytes($1))
        }
        // The earlier call gave its codes in this same order.
        if let used { order = order.indices.filter(used.contains).map { order[$0] } }
        var place = [Int](repeating: 0, count: all.count)
        var ends: [Int64] = []
        var text: [UInt8] = []
        for (code, string) in order.enumerated() {
            place[string] = code
            text.append(contentsOf: all.bytes(string))
            ends.append(Int64(text.count))
        }
        for i in columns.indices {
            columns[i].codes = columns[i].codes.map { place[$0] }
            columns[i].sets = columns[i].sets.map { $0.map { place[$0] } }
        }
        var out = ByteWriter()
        PackedColumn.append(ends, to: &out)
        return out.bytes + text
    }

    func block(_ number: BlockIndex) throws(WinnowError) -> [UInt8] {
        try cells(number).encoded(encoding, compressed: compresses)
    }

    private func cells(_ number: BlockIndex) throws(WinnowError) -> BlockCells {
        var cells = BlockCells()
        for column in columns {
            switch column.values {
            case .part(let part, let index, let dictionary):
                guard let block = try part.block(index, number) else { continue }
                for row in block.touched.allRows { cells.clear(row) }
                try put(block, column, dictionary, into: &cells)
            case .batch(let batch, let settled): put(batch, settled, column, number, into: &cells)
            }
        }
        erased?.block(number)?.forEach { cells.forget(UInt16(truncatingIfNeeded: $0)) }
        return cells
    }

    private func put(
        _ block: FieldBlock, _ column: Column, _ dictionary: FieldDictionary?,
        into cells: inout BlockCells
    ) throws(WinnowError) {
        let members = block.members.allRows
        switch block.column {
        case .sliced(let sliced):
            for (row, value) in unsafe zip(members, sliced.values(rows: members)) {
                guard let dictionary else {
                    cells.set(row, value)
                    continue
                }
                // A code beyond the dictionary is a string that nobody can have.
                guard value >= 0, value < dictionary.count else { continue }
                if encoding == .texts {
                    unsafe cells.set(row, text: dictionary[Int(value)])
                } else {
                    cells.set(row, Int64(column.codes[Int(value)]))
                }
            }
        case .texts(let texts):
            try unsafe texts.forEach { rank, text in unsafe cells.set(members[rank], text: text) }
        case .sets(let sets):
            for row in members { cells.set(row, set: []) }
            for i in 0..<sets.values {
                let (code, rows) = try sets.value(i)
                guard code < column.codes.count else { continue }
                for row in rows.allRows { cells.add(row, column.codes[code]) }
            }
        }
    }

    private func put(
        _ batch: ProfileBatch.Column, _ settled: ProfileBatch.Column.Settled, _ column: Column,
        _ number: BlockIndex,
        into cells: inout BlockCells
    ) {
        let first = Row(number, 0)
        var i = firstNotBelow(settled.rows.indices) { settled.rows[$0] < first }
        while i < settled.rows.count, settled.rows[i].block == number {
            let row = settled.rows[i].inBlock
            let cell = settled.cell(i)
            let value = batch.values[cell]
            i += 1
            if batch.cleared[cell] {
                cells.clear(row)
                continue
            }
            switch encoding {
            case .numbers: cells.set(row, value)
            case .codes: cells.set(row, Int64(column.codes[Int(value)]))
            case .texts:
                unsafe batch.texts.bytes(Int(value)).withUnsafeBytes {
                    unsafe cells.set(row, text: $0)
                }
            case .sets: cells.set(row, set: column.sets[Int(value)])
            }
        }
    }
}

/// What is known of one field in one block while sources are laid over each other.
private struct BlockCells {
    private enum State: UInt8 { case untouched, cleared, set }
    private var states = [State](repeating: .untouched, count: Block.rows)
    /// Numbers, codes, or positions in `texts` or `sets`.
    private var values = [Int64](repeating: 0, count: Block.rows)
    private var texts: [UInt8] = []
    private var ends: [Int] = []
    private var sets: [[Int]] = []

    mutating func forget(_ row: UInt16) { states[Int(row)] = .untouched }

    mutating func clear(_ row: UInt16) { states[Int(row)] = .cleared }

    mutating func set(_ row: UInt16, _ value: Int64) {
        states[Int(row)] = .set
        values[Int(row)] = value
    }

    mutating func set(_ row: UInt16, text: UnsafeRawBufferPointer) {
        set(row, Int64(ends.count))
        unsafe texts.append(contentsOf: text)
        ends.append(texts.count)
    }

    mutating func set(_ row: UInt16, set: [Int]) {
        self.set(row, Int64(sets.count))
        sets.append(set)
    }

    /// Adds a value to a row's set.
    mutating func add(_ row: UInt16, _ code: Int) {
        if states[Int(row)] == .set { sets[Int(values[Int(row)])].append(code) }
    }

    /// The dictionary codes that some row has.
    func usedCodes(_ encoding: ProfilePart.Encoding) -> Set<Int> {
        var used: Set<Int> = []
        for (row, state) in states.enumerated() where state == .set {
            if encoding == .sets {
                used.formUnion(sets[Int(values[row])])
            } else {
                used.insert(Int(values[row]))
            }
        }
        return used
    }

    func encoded(_ encoding: ProfilePart.Encoding, compressed: Bool) throws(WinnowError) -> [UInt8]
    {
        var touched: [UInt16] = []
        var members: [UInt16] = []
        for (row, state) in states.enumerated() where state != .untouched {
            touched.append(UInt16(row))
            if state == .set { members.append(UInt16(row)) }
        }
        var out = ByteWriter()
        FieldBlock.append(container: touched, to: &out)
        let chosen = members.map { values[Int($0)] }
        switch encoding {
        case .numbers, .codes: SlicedBlock.append(rows: members, values: chosen, to: &out)
        case .texts:
            FieldBlock.append(container: members, to: &out)
            var writer = TextFrames.Writer(compresses: compressed)
            for text in chosen {
                try writer.add(texts[(text == 0 ? 0 : ends[Int(text) - 1])..<ends[Int(text)]])
            }
            try writer.finish(to: &out)
        case .sets: SetBlock.append(rows: members, sets: chosen.map { sets[Int($0)] }, to: &out)
        }
        return out.bytes
    }
}
