import WinnowBitmaps
import WinnowFormat
import WinnowModel
import WinnowThreads

/// What an activity part is checked against.
package struct ActivityExpectations: Sendable {
    package var rows: Int
    /// Those of all namespaces that events have.
    package var names: [Namespace: StringTables]
    /// nil where no first events are marked.
    package var order: NameOrder?
    /// Profiles of which nothing may be left.
    package var purged: ErasedRows?
    /// The parts before this one, oldest first.
    package var older: [ActivityPart]

    package init(
        rows: Int, names: [Namespace: StringTables], order: NameOrder?, purged: ErasedRows?,
        older: [ActivityPart]
    ) {
        self.rows = rows
        self.names = names
        self.order = order
        self.purged = purged
        self.older = older
    }

    /// Whether it is none, or a name that is there.
    fileprivate func isName(_ namespace: Namespace, _ name: NameCode) -> Bool {
        guard let code = name.code else { return true }
        return unsafe names[namespace]?.bytes(code)?.isEmpty == false
    }
}

extension ActivityPart {
    /// Checks everything that is derived by deriving it again: each chunk's events are read and
    /// encoded anew, which must give the same bytes, the same summary and, summed up, the same leaf
    /// table.
    package func verify(_ expected: ActivityExpectations, _ findings: Findings) {
        for index in types.values.sorted(by: { $0.type < $1.type }) {
            findings.check(file.path) { () throws(WinnowError) in
                try verify(index, expected, findings)
            }
        }
        findings.check(file.path) { () throws(WinnowError) in
            let blocks = try messageBlocks()
            findings.expect(
                isAscending(blocks), file.path, "the blocks of messages are out of order")
            _ = try concurrentMap(blocks.count) { (i) throws(WinnowError) in
                findings.check(file.path) { () throws(WinnowError) in
                    try verifyMessages(blocks[i], expected, findings)
                }
            }
        }
    }

    private func isAscending(_ blocks: [BlockIndex]) -> Bool {
        zip(blocks, blocks.dropFirst()).allSatisfy { $0 < $1 }
    }

    private func verify(
        _ index: TypeIndex, _ expected: ActivityExpectations, _ findings: Findings
    ) throws(WinnowError) {
        let name = index.type.name
        let namespaces = index.type.namespaces
        let table = try leaves(of: index)
        let keys = (0..<table.count).map { table.key(LeafID($0)) }
        findings.expect(
            zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }, file.path,
            "\(name): leaves are out of order")
        findings.expect(
            keys.indices.allSatisfy { i in
                table.events[i] == 0
                    || (expected.isName(namespaces.campaign, keys[i].campaign)
                        && expected.isName(namespaces.template, keys[i].template)
                        && index.type.isPossible(keys[i]))
            }, file.path,
            "\(name): a leaf that makes no sense, or has a name that the dictionary does not have")
        let blocks = try blocks(of: index.type)
        findings.expect(
            isAscending(blocks.map(\.block)), file.path, "\(name): blocks are out of order")
        let firsts = expected.order.flatMap {
            FirstEvents(index.type, $0, byActor: index.marksActors)
        }
        let chunks = try concurrentMap(blocks.count) {
            (i) throws(WinnowError) -> (leaves: [LeafContribution], rows: Int)? in
            var result: EncodedChunk?
            findings.check(file.path) { () throws(WinnowError) in
                let chunk = try encodedAgain(index, blocks[i].block, table, keys, firsts, expected)
                result = chunk
                let same = try isStored(chunk, as: try entry(index, i))
                findings.expect(
                    same, file.path,
                    "\(name), block \(blocks[i].block.number): what is stored is not what it derives from"
                )
            }
            return result.map { (leaves: $0.leaves, rows: $0.rows) }
        }
        guard !chunks.contains(where: { $0 == nil }) else { return }
        let rows = chunks.reduce(0) { $0 + ($1?.rows ?? 0) }
        findings.expect(index.rows == rows, file.path, "\(name): the number of rows is wrong")
        verify(index, table, chunks.compactMap { $0?.leaves }, name, findings)
    }

    private func encodedAgain(
        _ index: TypeIndex, _ block: BlockIndex, _ table: LeafTable, _ keys: [LeafKey],
        _ firsts: FirstEvents?,
        _ expected: ActivityExpectations
    ) throws(WinnowError) -> EncodedChunk {
        var events: [EventRecord] = []
        try append(index.type, block: block, to: &events)
        var links: Set<NameCode> = []
        var messages = [UInt32](repeating: 0, count: Block.rows)
        for part in expected.older + [self] { try part.messages(block)?.raise(&messages) }
        for event in events {
            let leaf = event.leaf.index
            if links.insert(event.link).inserted,
                !(index.type.namespaces.link.map { expected.isName($0, event.link) }
                    ?? (event.link == .none))
            {
                throw .damaged(
                    file: file.path,
                    what: "\(index.type.name): an unknown link in block \(block.number)")
            }
            guard leaf < keys.count, event.count > 0,
                !index.type.isOfProfiles
                    || Int(event.row.rawValue) < expected.rows
                        && expected.purged?.contains(event.row) != true,
                event.message <= messages[Int(event.row.inBlock)],
                event.time >= table.minimum[leaf], event.time <= table.maximum[leaf],
                keys[leaf].month == 0 || keys[leaf].month == LeafKey.month(of: event.time)
            else {
                throw .damaged(
                    file: file.path,
                    what: "\(index.type.name): an impossible event in block \(block.number)")
            }
        }
        return ActivityChunkEncoder.encode(events, leaves: keys, firsts: firsts)
    }

    private func isStored(_ chunk: EncodedChunk, as entry: BlockEntry) throws(WinnowError) -> Bool {
        guard entry.events == chunk.events else { return false }
        let (stored, summary) = unsafe try bytes(entry)
        return unsafe stored.elementsEqual(chunk.bytes) && summary.elementsEqual(chunk.summary)
    }

    private func verify(
        _ index: TypeIndex, _ table: LeafTable, _ leaves: [[LeafContribution]], _ name: String,
        _ findings: Findings
    ) {
        var sums = [LeafContribution](
            repeating: LeafContribution(
                leaf: LeafID(0), events: 0, distinct: 0, minimum: .max, maximum: .min),
            count: table.count)
        for leaf in leaves.joined() {
            let i = leaf.leaf.index
            sums[i].events += leaf.events
            sums[i].distinct += leaf.distinct
            sums[i].withoutMessage += leaf.withoutMessage
            sums[i].firstWithoutMessage = min(sums[i].firstWithoutMessage, leaf.firstWithoutMessage)
            sums[i].minimum = min(sums[i].minimum, leaf.minimum)
            sums[i].maximum = max(sums[i].maximum, leaf.maximum)
        }
        for (i, sum) in sums.enumerated() {
            let withoutMessage = sum.withoutMessage == 0 ? sum.minimum : sum.firstWithoutMessage
            let times =
                sum.events == 0
                || (table.minimum[i] == sum.minimum && table.maximum[i] == sum.maximum
                    && table.firstWithoutMessage[i] == withoutMessage)
            findings.expect(
                table.events[i] == sum.events && table.distinct[i] == sum.distinct
                    && table.withoutMessage[i] == sum.withoutMessage
                    && times, file.path, "\(name): leaf \(i) does not add up")
        }
        let used = sums.filter { $0.events > 0 }
        findings.expect(
            index.events == Int(used.reduce(0) { $0 + $1.events })
                && index.minimum == used.map(\.minimum).min() ?? 0
                && index.maximum == used.map(\.maximum).max() ?? 0, file.path,
            "\(name): totals do not add up")
    }

    /// Ids of messages: ordinals go on where older parts end, and no id comes twice.
    private func verifyMessages(
        _ block: BlockIndex, _ expected: ActivityExpectations, _ findings: Findings
    ) throws(WinnowError) {
        guard let own = try messages(block) else { return }
        let cancellation = findings.cancellation
        var totals = [UInt32](repeating: 0, count: Block.rows)
        var seen: Set<[UInt8]> = []
        func enter(_ row: UInt16, _ id: UnsafeRawBufferPointer) -> Bool {
            unsafe seen.insert(withUnsafeBytes(of: row) { unsafe Array($0) } + Array(id)).inserted
        }
        let wanted = BlockSet.allocate()
        defer { wanted.deallocate() }
        own.touched.copy(into: wanted)
        for part in expected.older {
            guard let older = try part.messages(block) else { continue }
            try older.raise(&totals)
            try unsafe older.forEach(in: wanted) { row, _, id in
                if cancellation.isRequested { return }
                _ = unsafe enter(row, id)
            }
        }
        var fine = true
        try unsafe own.forEach(in: nil) { row, ordinal, id in
            if cancellation.isRequested { return }
            let profile = Row(block, row)
            fine =
                unsafe fine && ordinal == totals[Int(row)]
                && Int(profile.rawValue) < expected.rows
                && expected.purged?.contains(profile) != true
                && (1...255).contains(id.count) && String(validating: id, as: UTF8.self) != nil
                && enter(row, id)
            totals[Int(row)] &+= 1
        }
        try cancellation.check()
        findings.expect(
            fine, file.path, "block \(block.number): message ids are repeated or out of order")
    }
}
