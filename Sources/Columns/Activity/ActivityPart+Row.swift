import WinnowBitmaps
import WinnowFormat
import WinnowModel

extension ActivityPart {
    /// Appends the records of one row, those that are forgotten left out.
    /// - Complexity: O(runs of the block × log events), and O(events of its tail).
    package func append(
        _ type: RecordType, of row: Row, to records: inout [EventRecord]
    ) throws(WinnowError) {
        guard let index = types[type], let entry = try find(index, block: row.block) else { return }
        let chunk = try chunk(entry)
        let start = records.count
        func add(
            _ streams: EventStreams, _ range: Range<Int>, _ leaf: LeafID
        ) throws(WinnowError) {
            try append(
                streams, range, leaf: leaf, row.block,
                Array(repeating: row.inBlock, count: range.count), to: &records)
        }
        for i in 0..<chunk.headCount {
            let head = try chunk.head(i)
            guard let rank = head.container.rank(of: row.inBlock) else { continue }
            guard head.container.isSound else { throw head.misfit }
            try add(head.streams, try head.events(ofRank: rank), head.leaf)
        }
        var run = 0
        var end = 0
        for at in 0..<chunk.tail.events where unsafe chunk.tailRows[at] == row.inBlock {
            while at >= end, run < chunk.tailRuns {
                end = try chunk.run(run).upperBound
                run += 1
            }
            try add(chunk.tail, at..<at + 1, chunk.leaf(ofRun: max(0, run - 1)))
        }
        guard type != .subscription else { return }
        let forgotten = horizon
        records[start...].removeAll { $0.time < forgotten }
    }
}

extension ActivityChunk.Head {
    /// Where the events of the row with a rank are.
    fileprivate func events(ofRank rank: Int) throws(WinnowError) -> Range<Int> {
        guard let starts = unsafe starts else { return rank..<rank + 1 }
        func isFirst(_ event: Int) -> Bool {
            unsafe starts[event >> 3] >> UInt8(event & 7) & 1 == 1
        }
        var passed = -1
        var event = 0
        while event < events {
            if isFirst(event) { passed += 1 }
            if passed == rank { break }
            event += 1
        }
        guard event < events else { throw misfit }
        var end = event + 1
        while end < events, !isFirst(end) { end += 1 }
        return event..<end
    }
}
