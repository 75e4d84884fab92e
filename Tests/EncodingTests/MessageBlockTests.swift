import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Message blocks")
struct MessageBlockTests {
    private let parts = Parts()

    private struct Message: Equatable {
        var row: UInt16
        var ordinal: UInt32
        var id: String

        init(_ row: UInt16, _ ordinal: UInt32, _ id: String) {
            self.row = row
            self.ordinal = ordinal
            self.id = id
        }
    }

    /// Events with these rows and ids.
    private func list(_ pairs: [(row: Row, id: String)]) -> EventList {
        var list = EventList()
        list.ids = pairs.map(\.id)
        list.events = pairs.indices.map { EventRecord(pairs[$0].row, message: UInt32($0 + 1)) }
        return list
    }

    private func messages(
        _ part: ActivityPart, block: BlockIndex = 0, in wanted: BlockSet? = nil
    ) throws -> [Message] {
        var result: [Message] = []
        try part.messages(block)?.forEach(in: wanted) { row, ordinal, id in
            result.append(Message(row, ordinal, String(decoding: id, as: UTF8.self)))
        }
        return result
    }

    /// What the events of a block say of their messages: row and ordinal plus one.
    private func numbers(_ part: ActivityPart, block: BlockIndex = 0) throws -> [[UInt32]] {
        var events: [EventRecord] = []
        try part.append(.event(EventType(.email, .sent)), block: block, to: &events)
        return events.map { [$0.row.rawValue, $0.message] }
    }

    @Test("a profile's messages have ordinals in the order in which they come")
    func ordinals() throws {
        let part = try parts.write([list([(7, "b"), (3, "x"), (7, "a"), (7, "b"), (3, "b")])])
        #expect(
            try messages(part)
                == [Message(3, 0, "x"), Message(3, 1, "b"), Message(7, 0, "b"), Message(7, 1, "a")])
        #expect(try numbers(part) == [[3, 1], [3, 2], [7, 1], [7, 2], [7, 1]])
        #expect(try part.messageBlocks() == [0])
        #expect(try part.messages(0)?.count == 4)
        #expect(try part.messages(1) == nil)
    }

    @Test("events without ids make no block of messages")
    func none() throws {
        var list = EventList()
        list.events = [EventRecord(1)]
        let part = try parts.write([list])
        #expect(try part.messageBlocks() == [])
        #expect(try part.messages(0) == nil)
        #expect(part.file.sectionSizes.allSatisfy { $0.tag != .messageBlocks })
    }

    @Test("ordinals go on where older parts end, and a known message keeps its own")
    func goingOn() throws {
        let first = try parts.write([list([(1, "a"), (1, "b"), (2, "a")])])
        let second = try parts.write([list([(1, "c"), (1, "a"), (5, "a")])], knowing: [first])
        #expect(try messages(second) == [Message(1, 2, "c"), Message(5, 0, "a")])
        #expect(try numbers(second) == [[1, 3], [1, 1], [5, 1]])
        var totals = [UInt32](repeating: 0, count: Block.rows)
        try first.messages(0)?.raise(&totals)
        try second.messages(0)?.raise(&totals)
        #expect([totals[1], totals[2], totals[5]] == [3, 1, 1])
    }

    @Test("a block that does not go on where older ones end is damaged")
    func gap() throws {
        let first = try parts.write([list([(1, "a")])])
        let second = try parts.write([list([(1, "b")])], knowing: [first])
        var totals = [UInt32](repeating: 0, count: Block.rows)
        expectDamage("do not go on") { try second.messages(0)?.raise(&totals) }
    }

    @Test("parts that are merged have the messages of both")
    func merging() throws {
        let first = try parts.write([list([(1, "a"), (9, "z")])])
        let second = try parts.write([list([(1, "b"), (4, "d")])], knowing: [first])
        let merged = try parts.write(
            [RemainingEvents(first), RemainingEvents(second), list([(1, "b"), (1, "c")])],
            knowing: [first, second])
        #expect(
            try messages(merged)
                == [
                    Message(1, 0, "a"), Message(1, 1, "b"), Message(1, 2, "c"), Message(4, 0, "d"),
                    Message(9, 0, "z"),
                ])
        #expect(try numbers(merged) == [[1, 1], [1, 2], [1, 2], [1, 3], [4, 1], [9, 1]])
    }

    @Test("many messages of many blocks come back", arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var dice = Dice(seed)
        var pairs: [(row: Row, id: String)] = []
        for i in 0..<6000 {
            let block = [0, 1, 4][dice.below(3)] as BlockIndex
            let row = dice.below(200)
            let id = "\(i)-" + String(repeating: "long ", count: dice.below(12))
            pairs.append((Row(block, UInt16(row * 300)), id))
        }
        let part = try parts.write([list(pairs)])
        #expect(try part.messageBlocks() == [0, 1, 4])
        for block in [0, 1, 4] as [BlockIndex] {
            var next: [UInt16: UInt32] = [:]
            var expected: [Message] = []
            for pair in pairs where pair.row.block == block {
                let row = pair.row.inBlock
                expected.append(Message(row, next[row, default: 0], pair.id))
                next[row, default: 0] += 1
            }
            expected.sort { ($0.row, $0.ordinal) < ($1.row, $1.ordinal) }
            #expect(try messages(part, block: block) == expected)

            // Rows that are asked for alone, whichever frames they are in.
            let wanted = BlockSet.allocate()
            defer { wanted.deallocate() }
            wanted.clear()
            for row in [0, 300, 199 * 300] { wanted.insert(row) }
            #expect(
                try messages(part, block: block, in: wanted)
                    == expected.filter { wanted.contains(Int($0.row)) })
        }
    }

    /// Where the messages of block 0 begin in section `chunks`.
    private func start(_ part: ActivityPart) throws -> Int {
        var entry = try part.file.reader(.messageBlocks)
        _ = try entry.take(UInt64.self)
        return Int(try entry.take(UInt64.self))
    }

    @Test("two messages of one row are the row, its first ordinal, how many, and their ids")
    func layout() throws {
        let part = try parts.write([list([(5, "m"), (5, "no")])])
        let start = try start(part)
        let chunks = Array(try part.file.section(.chunks))
        #expect(
            Array(chunks[start...])
                == hex(
                    """
                    01 000000 01000000 0500 000000000000
                    01000000 00 000000 0000000000000000
                    01000000 00 000000 0200000000000000
                    02000000 01 000000 0100000000000000 02
                    01000000 00000000
                    02000000 03000000 03000000 00000000
                    6D6E6F 00000000
                    """))
        // The last four bytes are padding.
        #expect(
            try part.file.section(.messageBlocks).elementsEqual(
                hex("00000000 00000000") + [UInt8(start), 0, 0, 0, 0, 0, 0, 0]
                    + hex("5C00000000000000")))
    }

    @Test("a damaged block throws")
    func damage() throws {
        let part = try parts.write([list([(5, "m"), (5, "no")])])
        let start = try start(part)
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            expectDamage(words) {
                let changed = try parts.changing(.chunks, of: part.file, change)
                _ = try messages(try ActivityPart(changed))
            }
        }
        damaged("an impossible container") { $0[start] = 4 }
        damaged("it ends early") { $0[start] = 2 }
        damaged("it ends early") { $0.put(UInt32(4096), at: start + 4) }
        damaged("do not match") { $0.put(UInt32(0), at: start + 16) }
        damaged("do not match") { $0.put(UInt32(2), at: start + 32) }
        damaged("impossible ordinals") { $0.put(Int64(-1), at: start + 24) }
        damaged("impossible ordinals") { $0.put(Int64(UInt32.max) - 1, at: start + 24) }
        damaged("impossible ordinals") { $0.put(Int64(0), at: start + 40) }
        damaged("rows and ids do not match") { $0.put(Int64(3), at: start + 40) }
    }

    @Test("whatever byte is wrong, reading messages comes to an end")
    func flips() throws {
        let part = try parts.write([list([(5, "m"), (5, "no"), (6, "m")])])
        for tag in [SectionTag.chunks, .messageBlocks] {
            try parts.flipping(tag, of: part.file) { damaged in
                let found = try messages(try ActivityPart(damaged))
                #expect(found.count <= 3)
            }
        }
    }
}
