import WinnowBitmaps
import WinnowModel

/// One field's values of all profiles: newer parts overlay older ones.
package struct FieldColumn: Sendable {
    package let field: Field
    /// Newest first.
    private let layers: [Layer]

    private struct Layer: Sendable {
        let part: ProfilePart
        let index: ProfilePart.FieldIndex
        let dictionary: FieldDictionary?
    }

    /// - Parameter parts: all of the store, oldest first.
    package init(_ parts: [ProfilePart], _ field: Field) throws(WinnowError) {
        self.field = field
        var layers: [Layer] = []
        for part in parts.reversed() {
            guard let index = part.field(field.name) else { continue }
            let hasDictionary = index.encoding == .codes || index.encoding == .sets
            layers.append(
                Layer(
                    part: part, index: index,
                    dictionary: hasDictionary ? try part.dictionary(index) : nil))
        }
        self.layers = layers
    }

    /// What one part says of some rows of a block.
    package struct Values {
        private let column: FieldBlock.Column
        private let dictionary: FieldDictionary?

        fileprivate init(_ column: FieldBlock.Column, _ dictionary: FieldDictionary?) {
            self.column = column
            self.dictionary = dictionary
        }

        /// Calls `body` with rows of a set and their values: numbers as they are, or codes of
        /// texts. None of sets, and of texts that have no codes.
        package func forEachNumber(of rows: BlockSet, _ body: (Int, Int64) -> Void) {
            let (members, values) = numbers
            for (row, value) in zip(members, values) where rows.contains(Int(row)) {
                body(Int(row), value)
            }
        }

        /// All rows that have numbers, or codes of texts, and these.
        package var numbers: (rows: [UInt16], values: [Int64]) {
            guard case .sliced(let sliced) = column else { return ([], []) }
            let rows = sliced.members.allRows
            return unsafe (rows, sliced.values(rows: rows))
        }

        /// Whether texts have codes.
        package var hasCodes: Bool { if case .sliced = column { dictionary != nil } else { false } }

        /// The text of a code; empty for one that nothing has.
        package func text(ofCode code: Int64) -> UnsafeRawBufferPointer {
            guard let dictionary, code >= 0, code < dictionary.count else {
                return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            }
            return unsafe dictionary[Int(code)]
        }

        /// Calls `body` with rows of a set and their texts, which are good until it returns.
        package func forEachText(
            of rows: BlockSet, _ body: (Int, UnsafeRawBufferPointer) -> Void
        ) throws(WinnowError) {
            switch column {
            case .texts(let texts):
                let members = texts.members.allRows
                try unsafe texts.forEach(
                    wanted: { ranks in
                        ranks.contains { $0 < members.count && rows.contains(Int(members[$0])) }
                    }
                ) { rank, text in
                    guard rank < members.count, rows.contains(Int(members[rank])) else { return }
                    unsafe body(Int(members[rank]), text)
                }
            case .sliced:
                forEachNumber(of: rows) { row, code in unsafe body(row, text(ofCode: code)) }
            case .sets: break
            }
        }

        /// Calls `body` with each member that some row's set has, ascending by bytes, and the rows
        /// that have it, which may be others, too.
        package func forEachMember(
            _ body: (UnsafeRawBufferPointer, Container) throws(WinnowError) -> Void
        ) throws(WinnowError) {
            guard case .sets(let sets) = column else { return }
            for i in 0..<sets.values {
                let (code, rows) = try sets.value(i)
                try unsafe body(text(ofCode: Int64(code)), rows)
            }
        }
    }

    /// Calls `body` with what each part says of a block, newest first, and those of some rows that
    /// have a value there and of which no newer part says anything; the set is good until `body`
    /// returns.
    /// - Complexity: O(parts) besides.
    package func forEachPart(
        in block: BlockIndex, of wanted: BlockSet,
        _ body: (Values, BlockSet) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let open = BlockSet.allocate()
        let own = BlockSet.allocate()
        defer {
            open.deallocate()
            own.deallocate()
        }
        open.copy(from: wanted)
        for layer in layers where !open.isEmpty {
            guard let values = try layer.part.block(layer.index, block) else { continue }
            values.members.copy(into: own)
            own.formIntersection(open)
            if !own.isEmpty {
                try body(Values(values.column, layer.dictionary), own)
            }
            values.touched.copy(into: own)
            open.subtract(own)
        }
    }
}

/// A value of a profile's field.
package enum FieldValue: Sendable {
    /// See `Field.number`.
    case number(Int64)
    case text(ArraySlice<UInt8>)
    /// Distinct, ascending by bytes.
    case set([ArraySlice<UInt8>])
}

/// One field's values of some rows of a block.
package struct FieldCells: Sendable {
    private let nature: FieldType.Nature
    /// Per row whether it has a value.
    private var isPresent = [Bool](repeating: false, count: Block.rows)
    /// Per row the number, or where its text begins.
    private var numbers = [Int64](repeating: 0, count: Block.rows)
    /// Per row where its text ends.
    private var ends: [Int] = []
    private var texts: [UInt8] = []
    /// By rows, where the members of their sets are; empty sets are not here.
    private var members: [Int: [Range<Int>]] = [:]

    /// - Complexity: O(values of the block).
    package init(
        _ column: FieldColumn, in block: BlockIndex, of rows: BlockSet
    ) throws(WinnowError) {
        nature = column.field.type.nature
        if nature == .text { ends = Array(repeating: 0, count: Block.rows) }
        try column.forEachPart(in: block, of: rows) { (values, own) throws(WinnowError) in
            own.forEach { isPresent[$0] = true }
            switch nature {
            case .quantity, .truth, .time: values.forEachNumber(of: own) { numbers[$0] = $1 }
            case .text:
                try unsafe values.forEachText(of: own) { row, text in
                    numbers[row] = Int64(texts.count)
                    unsafe texts.append(contentsOf: text)
                    ends[row] = texts.count
                }
            case .set:
                try unsafe values.forEachMember { text, rows in
                    let start = texts.count
                    unsafe texts.append(contentsOf: text)
                    for row in rows.allRows where own.contains(Int(row)) {
                        members[Int(row), default: []].append(start..<texts.count)
                    }
                }
            }
        }
    }

    /// The value of a row; nil when it has none.
    package subscript(row: Int) -> FieldValue? {
        guard isPresent[row] else { return nil }
        switch nature {
        case .quantity, .truth, .time: return .number(numbers[row])
        case .text: return .text(texts[Int(numbers[row])..<ends[row]])
        case .set: return .set((members[row] ?? []).map { texts[$0] })
        }
    }
}
