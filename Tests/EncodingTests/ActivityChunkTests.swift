import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowSimulation
import Testing

@Suite("Activity chunks")
struct ActivityChunkTests {
    private let parts = Parts()
    private let sent = EventType(.email, .sent)

    private func index(_ part: ActivityPart) throws -> ActivityPart.TypeIndex {
        try #require(part.types.values.first)
    }

    private func entry(_ part: ActivityPart) throws -> ActivityPart.BlockEntry {
        try #require(try part.find(try index(part), block: 0))
    }

    private func chunk(_ part: ActivityPart) throws -> ActivityChunk {
        try part.chunk(try entry(part))
    }

    /// Events as lists of numbers that can be compared, in one order.
    private func comparable(_ events: [EventRecord], _ keys: [LeafKey]) -> [[Int64]] {
        let lists = events.map { event -> [Int64] in
            let key = keys[event.leaf.index]
            return [
                Int64(key.campaign.rawValue), Int64(key.template.rawValue),
                Int64(event.row.rawValue), event.time,
                Int64(event.count), Int64(event.link.rawValue), Int64(event.message),
            ]
        }
        return lists.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func written(_ list: EventList) -> [[Int64]] { comparable(list.events, list.keys) }

    private func stored(_ part: ActivityPart) throws -> [[Int64]] {
        let index = try index(part)
        let leaves = try part.leaves(of: index)
        var events: [EventRecord] = []
        for (block, _) in try part.blocks(of: index.type) {
            try part.append(index.type, block: block, to: &events)
        }
        return comparable(events, (0..<leaves.count).map { leaves.key(LeafID($0)) })
    }

    /// `count` events of one leaf, each of a row of its own.
    private func list(_ count: Int, every step: Int = 1, from first: Int = 0) -> EventList {
        var list = EventList()
        list.events = (0..<count).map { EventRecord(Row(first + $0 * step)) }
        return list
    }

    @Test("events come back as they were written", arguments: [1, 2, 63, 64, 511, 512, 513, 5000])
    func counts(count: Int) throws {
        var list = list(count)
        for i in 0..<count {
            list.events[i].time = Int64(i) * 77_777
            list.events[i].count = i % 5 == 0 ? 3 : 1
            list.events[i].link = NameCode(rawValue: UInt32(i % 3))
            list.events[i].message = UInt32(i % 7)
        }
        let part = try parts.write([list])
        #expect(try stored(part) == written(list))
        #expect(try index(part).events == count && entry(part).events == count)
    }

    @Test("extreme times, counts, links and messages come back", arguments: [2, 100])
    func extremes(count: Int) throws {
        var list = list(count)
        let times = Instant.possibleMilliseconds
        for i in 0..<count {
            let isOdd = i % 2 == 1
            list.events[i].time = isOdd ? times.upperBound : times.lowerBound
            list.events[i].count = isOdd ? .max : 1
            list.events[i].link = isOdd ? NameCode(rawValue: .max) : .none
            list.events[i].message = isOdd ? .max : 0
        }
        list.events[0].row = 65_535
        let part = try parts.write([list])
        #expect(try stored(part) == written(list))
        let index = try index(part)
        #expect(index.minimum...index.maximum == times)
    }

    @Test("random events of many leaves and blocks come back", arguments: 1...6)
    func random(seed: Int) throws {
        var dice = Dice(UInt64(seed))
        var list = EventList()
        list.keys = (0..<40).map {
            LeafKey(
                campaign: NameCode(rawValue: UInt32($0 / 3)),
                template: NameCode(rawValue: UInt32($0 % 3)))
        }
        // A few rows that have many events, or many that have few.
        let rows = seed % 2 == 0 ? 300 : 65_536
        let unit: Int64 = seed % 3 == 0 ? 1000 : 1
        for _ in 0..<8000 {
            let block = dice.below(3) * 2
            let row = dice.below(rows)
            // Some leaves are short and some long.
            let leaf = dice.below(3) == 0 ? dice.below(40) : dice.below(3)
            list.events.append(
                EventRecord(
                    row: Row(block << 16 | row), leaf: LeafID(leaf),
                    time: (Int64(dice.below(1 << 30)) - 1 << 29) * unit,
                    count: dice.below(9) == 0 ? UInt32(dice.bits(20)) + 1 : 1,
                    link: NameCode(rawValue: UInt32(dice.below(5))), message: UInt32(dice.below(50))
                ))
        }
        let part = try parts.write([list])
        #expect(try stored(part) == written(list))
        #expect(try part.blocks(of: .event(sent)).map(\.block) == [0, 2, 4])
        // Merged with itself there is everything twice.
        let twice = try parts.write([RemainingEvents(part), RemainingEvents(part)])
        #expect(try stored(twice) == written(list).flatMap { [$0, $0] })
    }

    @Test("a run of 64 events is a head, a shorter one is in the tail")
    func heads() throws {
        var list = EventList()
        list.keys = [1, 2, 3].map { LeafKey(campaign: $0, template: 0) }
        for (leaf, count) in [(0, 63), (1, 64), (2, 1)] as [(LeafID, Int)] {
            list.events += (0..<count).map { EventRecord(Row($0 * 2), leaf: leaf) }
        }
        let chunk = try chunk(try parts.write([list]))
        #expect(chunk.headCount == 1 && chunk.leaf(ofHead: 0) == 1)
        #expect(chunk.events(ofHead: 0) == 64)
        #expect(chunk.tailRuns == 2 && chunk.tail.events == 64)
        #expect([chunk.leaf(ofRun: 0), chunk.leaf(ofRun: 1)] == [0, 2])
        #expect(try chunk.run(0) == 0..<63 && chunk.run(1) == 63..<64)
    }

    @Test("a head has the smallest container that holds its rows")
    func containers() throws {
        func container(_ list: EventList) throws -> Container {
            let part = try parts.write([list])
            #expect(try stored(part) == written(list))
            return try chunk(part).head(0).container
        }
        #expect(try container(list(64)).kind == .full)
        #expect(try container(list(65_536)).kind == .full)
        #expect(try container(list(4096, every: 2)).kind == .array)
        #expect(try container(list(4097, every: 2)).kind == .bitset)
        #expect(try container(list(4097, from: 61_439)).allRows.last == 65_535)
    }

    @Test("events of one row are told by the bit that marks the first of them")
    func repeats() throws {
        var list = list(100)
        for i in 0..<100 { list.events[i].row = Row(i / 3) }
        let part = try parts.write([list])
        let head = try chunk(part).head(0)
        #expect(head.events == 100 && head.distinct == 34)
        let starts = try #require(head.starts)
        for i in 0..<100 { #expect((starts[i / 8] >> UInt8(i % 8) & 1 == 1) == (i % 3 == 0)) }
        #expect(try stored(part) == written(list))
        // Where no row has two events there are no bits.
        #expect(try chunk(parts.write([self.list(100)])).head(0).starts == nil)
    }

    @Test("the greatest sum of a row is kept with each head and with the tail")
    func maxima() throws {
        var list = list(70)
        list.keys = [1, 2, 3].map { LeafKey(campaign: $0, template: 0) }
        list.events[5].count = 7
        list.events.append(EventRecord(5, count: 2))
        list.events.append(EventRecord(9, leaf: 1, count: .max))
        list.events.append(EventRecord(9, leaf: 2, count: .max))
        let chunk = try chunk(try parts.write([list]))
        #expect(chunk.maximum(ofHead: 0) == 9)
        #expect(chunk.tailMaximum == 2 * UInt64(UInt32.max))
    }

    @Test("a window in stored units has the times that lie in it")
    func windows() throws {
        for (unit, base) in [(1000, -5000), (1, 7)] as [(Int64, Int64)] {
            var list = list(100)
            for i in 0..<100 { list.events[i].time = base + Int64(i) * unit }
            let streams = try chunk(try parts.write([list])).head(0).streams
            let times = streams.times(0..<100)
            let units = streams.storedTimes.values(0..<100)
            #expect(times == list.events.map(\.time))
            let last = Instant.last.milliseconds
            let windows: [ClosedRange<Int64>] = [
                base...base, base - 9...base, base + unit / 2...base + 7 * unit, .min...last,
                base + 3 * unit...last, base - 9...base - 1,
            ]
            for window in windows {
                let range = streams.storedRange(window)
                #expect(
                    units.map { range?.contains($0) ?? false } == times.map { window.contains($0) },
                    "\(window)")
            }
        }
    }

    @Test("chunks of 1,024 events and more say how often each row has the event, and when last")
    func summaries() throws {
        #expect(try self.entry(parts.write([self.list(1023)])).hasSummary == false)
        var list = self.list(1024)
        for i in 0..<1024 {
            list.events[i].row = Row(i / 2 * 5)
            list.events[i].count = UInt32(i % 3 + 1)
            list.events[i].time = Int64(i) * 1_000_000 - 400_000_000
        }
        let part = try parts.write([list])
        let entry = try self.entry(part)
        #expect(entry.hasSummary)
        let rows = try part.summary(entry).members.allRows
        #expect(rows == (0..<512).map { UInt16($0 * 5) })
        let pairs = (0..<512).map { (list.events[$0 * 2], list.events[$0 * 2 + 1]) }
        let counts = pairs.map { Int64($0.0.count + $0.1.count) }
        #expect(try part.summary(entry).values(rows: rows) == counts)
        let quarters = pairs.map { floorDivide($0.1.time, 900_000) }
        #expect(try part.latest(entry).values(rows: rows) == quarters)
        #expect(try index(part).rows == 512)
    }

    @Test("a summary is dense from 32,768 rows on", arguments: [32_767, 32_768])
    func denseSummary(count: Int) throws {
        let part = try parts.write([list(count, every: 2)])
        let summary = try part.summary(try entry(part))
        let rows = summary.members.allRows
        #expect(rows == (0..<count).map { UInt16($0 * 2) })
        #expect(summary.values(rows: rows).allSatisfy { $0 == 1 })
        #expect(try part.file.section(.summaries)[2] == (count == 32_768 ? 1 : 0))
    }

    @Test("a leaf of 65,536 events over more than sixty days is split by month")
    func months() throws {
        func keys(_ count: Int, days: Int64) throws -> [LeafKey] {
            var list = EventList()
            list.keys = [LeafKey(campaign: 3, template: 4)]
            let start = 1_735_689_600_000
            let span = days * 86_400_000
            list.events = (0..<count).map {
                EventRecord(
                    Row($0), time: Int64(start) + ($0 == count - 1 ? span : Int64($0)))
            }
            let part = try parts.write([list])
            let leaves = try part.leaves(of: try index(part))
            #expect(try stored(part) == written(list))
            return (0..<leaves.count).map { leaves.key(LeafID($0)) }
        }
        let whole = [LeafKey(campaign: 3, template: 4)]
        #expect(try keys(65_535, days: 70) == whole)
        #expect(try keys(65_536, days: 60) == whole)
        // January to March 2025: months since 1970-01 plus one.
        #expect(
            try keys(65_536, days: 70)
                == (661...663).map { LeafKey(campaign: 3, template: 4, month: $0) })
    }

    @Test("the first event of a message, and of a message and link, is marked")
    func firsts() throws {
        let names = NameOrder([Namespace: StringTables]())
        var list = EventList()
        list.type = EventType(.email, .clicked)
        for (row, time, link, message) in [
            (0, 2000, 1, 1), (0, 1000, 2, 1), (0, 3000, 1, 1), (0, 500, 0, 0), (0, 400, 0, 0),
            (4, 2000, 1, 1),
        ] as [(Row, Int64, NameCode, UInt32)] {
            list.events.append(
                EventRecord(row: row, leaf: 0, time: time, count: 1, link: link, message: message))
        }
        let chunk = try chunk(try parts.write([list], names: names))
        // Bit 0 is the first of its message, bit 1 of its message and link.
        #expect(chunk.tail.firsts.values(0..<6) == [2, 3, 0, 0, 3, 3])
        // Nothing is derived from sent events, and nothing without names.
        list.type = sent
        #expect(try self.chunk(try parts.write([list], names: names)).tail.firsts.width == 0)
    }

    @Test("the first event of an actor is marked where the other kind came before")
    func firstsOfActors() throws {
        let names = NameOrder([Namespace: StringTables]())
        var list = EventList()
        list.type = EventType(.email, .clicked)
        list.keys = [
            LeafKey(campaign: 1, template: 2), LeafKey(campaign: 1, template: 2, machine: true),
        ]
        // Of people: late in message 1, first in 2; of machines: first in 1, twice late in 2.
        for (leaf, time, link, message) in [
            (0, 3000, 1, 1), (0, 2000, 2, 1), (0, 1000, 1, 2),
            (1, 1000, 1, 1), (1, 2000, 1, 2), (1, 3000, 2, 2),
        ] as [(LeafID, Int64, NameCode, UInt32)] {
            list.events.append(
                EventRecord(
                    row: 0, leaf: leaf, time: time, count: 1, link: link, message: message))
        }
        let part = try parts.write([list], names: names)
        // Bits 2 and 3 are the first of its message, and of its message and link, of its actor only.
        #expect(try chunk(part).tail.firsts.values(0..<6) == [8, 6, 3, 3, 12, 2])
        #expect(try index(part).marksActors)
        // Alone, an actor's events need no more than the others.
        list.events.removeFirst(3)
        let alone = try parts.write([list], names: names)
        #expect(try chunk(alone).tail.firsts.values(0..<3) == [3, 3, 2])
    }

    @Test(
        "two events in a tail are a header with its streams, the end of their run, rows, times, counts, links"
    )
    func tailLayout() throws {
        var list = EventList()
        list.events = [
            EventRecord(row: 3, leaf: 0, time: 5000, count: 1, link: 0, message: 0),
            EventRecord(row: 7, leaf: 0, time: 8000, count: 3, link: 2, message: 0),
        ]
        let chunks = try parts.write([list]).file.section(.chunks)
        #expect(
            chunks.elementsEqual(
                hex(
                    """
                    00000000 01000000 02000000 00 02 010203000000 00000000
                    0300000000000000 0000 8202020000 00
                    8813000000000000 0100000000000000 0000000000000000
                    02 00 0300 0700 02 02 08 02 00 0000000000
                    """)))
    }

    @Test("64 equal events in the first rows are a head without data of its own")
    func headLayout() throws {
        var list = list(64)
        for i in 0..<64 { (list.events[i].time, list.events[i].message) = (7, 1) }
        let chunks = try parts.write([list]).file.section(.chunks)
        #expect(
            chunks.elementsEqual(
                hex(
                    """
                    01000000 00000000 00000000 00 00 010400000000 00000000
                    0000000000000000 0000 8000 00000000
                    0000000000000000 0000000000000000
                    00000000 40000000 40000000 68000000 0100000000000000
                    03 00 0000 00000000 0700000000000000 0100000000000000
                    """)))
    }

    @Test("a stream is there only where some event needs it")
    func streams() throws {
        func tags(_ change: (inout EventRecord) -> Void) throws -> [UInt8] {
            var list = list(3)
            change(&list.events[1])
            return Array(try parts.write([list]).file.section(.chunks)[14..<20])
        }
        #expect(try tags { _ in } == [1, 0, 0, 0, 0, 0])
        #expect(try tags { $0.count = 2 } == [1, 2, 0, 0, 0, 0])
        #expect(try tags { ($0.link, $0.message) = (1, 1) } == [1, 3, 4, 0, 0, 0])
    }

    @Test("events of machines have leaves of their own")
    func machines() throws {
        var list = EventList()
        list.keys = [
            LeafKey(campaign: 1, template: 2), LeafKey(campaign: 1, template: 2, machine: true),
            LeafKey(campaign: 2, template: 2, machine: true),
        ]
        list.events = (0..<3).map { EventRecord(Row($0), leaf: LeafID($0)) }
        let part = try parts.write([list])
        let table = try part.leaves(of: try index(part))
        #expect((0..<table.count).map { table.key(LeafID($0)) } == list.keys)
        #expect(table.places(ofCampaign: 1) == 0..<2)
    }

    @Test("a damaged chunk throws")
    func damage() throws {
        var list = list(64, every: 2)
        list.keys = [1, 2].map { LeafKey(campaign: $0, template: 0) }
        list.events.append(EventRecord(1, leaf: 1))
        let part = try parts.write([list])
        func damaged(_ words: String, _ change: (inout [UInt8]) -> Void) {
            expectDamage(words) {
                let changed = try parts.changing(.chunks, of: part.file, change)
                _ = try stored(try ActivityPart(changed))
            }
        }
        damaged("impossible header") { $0.put(UInt32.max, at: 0) }
        damaged("impossible header") { $0.put(UInt32.max, at: 4) }
        damaged("impossible header") { $0.put(UInt32.max, at: 8) }
        // Widths of ends and codes, of the tail's times, and streams that no reader knows, or
        // twice.
        for (offset, byte) in [(12, 33), (13, 33), (34, 65), (14, 9), (15, 1), (15, 99)] {
            damaged("impossible header") { $0[offset] = UInt8(byte) }
        }
        let head = 40 + 8
        damaged("does not have the events") { $0.put(UInt32(63), at: head + 4) }
        damaged("impossible head") { $0.put(UInt32(65), at: head + 8) }
        damaged("impossible head") { $0.put(UInt32(63), at: head + 8) }
        damaged("impossible head") { $0.put(UInt32(100), at: head + 12) }
        damaged("impossible head") { $0.put(UInt32.max - 7, at: head + 12) }
        damaged("impossible head") { $0[head + 24] = 4 }
        damaged("impossible head") { $0[head + 25] = 2 }
        damaged("impossible head") { $0[head + 26] = 65 }
        damaged("is outside its chunk") { $0[head + 24] = 2 }
        damaged("is outside its chunk") { $0[head + 26] = 64 }
    }

    @Test("a chunk that is cut short throws")
    func truncation() throws {
        let part = try parts.write([list(3)])
        // The size of the only chunk, in the only entry of the table of blocks.
        for size in 0..<56 {
            expectDamage(size < 40 ? "ends early" : "impossible header") {
                let changed = try parts.changing(.blocks, of: part.file) {
                    $0.put(UInt32(size), at: 16)
                }
                _ = try stored(try ActivityPart(changed))
            }
        }
    }

    @Test("runs of a tail that overlap throw")
    func overlap() throws {
        var list = EventList()
        list.keys = [1, 2].map { LeafKey(campaign: $0, template: 0) }
        list.events = [EventRecord(1), EventRecord(2, leaf: 1)]
        let part = try parts.write([list])
        // Two ends of two bits each: 1 and 2.
        #expect(try part.file.section(.chunks)[49] == 0b10_01)
        for ends in [0b01_10, 0b11_01, 0b01_11] as [UInt8] {
            expectDamage("runs overlap") {
                let changed = try parts.changing(.chunks, of: part.file) { $0[49] = ends }
                _ = try stored(try ActivityPart(changed))
            }
        }
    }

    @Test("whatever byte of a chunk is wrong, reading it comes to an end")
    func flips() throws {
        var list = list(70, every: 3)
        list.keys = [1, 2].map { LeafKey(campaign: $0, template: 0) }
        for i in 0..<70 { list.events[i].time = Int64(i) * 1000 }
        list.events += [EventRecord(0), EventRecord(9, leaf: 1, count: 3)]
        let part = try parts.write([list])
        for tag in [SectionTag.chunks, .blocks, .eventTypes, .leaves] {
            try parts.flipping(tag, of: part.file) { damaged in
                let part = try ActivityPart(damaged)
                for index in part.types.values {
                    var events: [EventRecord] = []
                    _ = try part.leaves(of: index.type)
                    for (block, _) in try part.blocks(of: index.type) {
                        try part.append(index.type, block: block, to: &events)
                    }
                    // What a table says of its events was checked before there was room for them.
                    #expect(events.count <= 72)
                }
            }
        }
    }
}
