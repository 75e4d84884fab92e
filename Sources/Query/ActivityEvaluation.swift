import Bitmaps
import CKernels
import Columns
import Model

/// Evaluates one activity in one block.
///
/// Method: first the runs in scope are gathered from the chunks' directories; their stored maxima bound what any row
/// can reach. That bound may already say that nobody qualifies; else it says how wide the counters must be. For "at
/// least once" no counters are needed at all, containers are united. Only runs that straddle the window, whose clicks
/// must be told apart by link, or from which unique events are derived, have their streams read.
struct ActivityEvaluation {
    let plan: ActivityPlan
    let scratch: Scratch
    /// Rows whose events are passed over where events are looked at one by one.
    private var excluded: BlockSet?

    init(plan: ActivityPlan, scratch: Scratch) {
        self.plan = plan
        self.scratch = scratch
    }

    /// Makes `out` the rows of the block that the plan matches.
    func evaluate(_ block: Int, into out: BlockSet) throws(WinnowError) {
        if try answerFromSummary(block, into: out) { return }
        let reach = try gather(block, summaries: plan.links == nil && plan.unique == nil)
        try evaluate(reach, .block(block), into: out)
    }

    /// What is fed to a sink: all runs of a block, or some.
    private enum Supply {
        case block(Int)
        case runs([RunInScope])
    }

    /// What the runs of a scope may add up to for one row.
    private struct Reach {
        var chunks: [ActivityChunk] = []
        /// In all runs, and in those that are counted event by event.
        var bound: UInt64 = 0, scattered: UInt64 = 0
    }

    private func evaluate(_ reach: Reach, _ supply: Supply, into out: BlockSet) throws(WinnowError) {
        guard reach.bound >= plan.lower else {
            scratch.take(.bounded)
            return out.clear()
        }
        // Stored counts are added last and saturate, which is exact for conditions that a byte can tell apart.
        let narrow =
            reach.bound <= 255 || (reach.scattered <= 255 && plan.lower <= 255 && (plan.upper ?? 0) < 255)
        if plan.lower == 1 && plan.upper == nil {
            scratch.take(.united)
            out.clear()
            try feed(supply, reach.chunks, UnionSink(out))
        } else if narrow {
            scratch.take(.counted)
            scratch.counters.update(repeating: 0, count: Block.rows)
            try feed(supply, reach.chunks, NarrowSink(scratch.counters))
            kernels.counters_between(
                scratch.counters, UInt8(plan.lower), UInt8(clamping: plan.upper ?? 255), out.bits, Block.rows)
        } else {
            scratch.take(.countedWide)
            let counters = scratch.wide()
            counters.update(repeating: 0, count: Block.rows)
            try feed(supply, reach.chunks, WideSink(counters))
            kernels.counters_between_wide(counters, plan.lower, plan.upper ?? .max, out.bits, Block.rows)
        }
    }

    /// Calls `body` with rows, keys (zero for none) and counts of the events in scope, some thousands at a time.
    func forEachKey(
        _ block: Int,
        _ body: (UnsafePointer<UInt16>, UnsafePointer<UInt32>, UnsafePointer<UInt32>, Int) -> Void
    ) throws(WinnowError) {
        let reach = try gather(block, summaries: false)
        try withoutActuallyEscaping(body) { (body) throws(WinnowError) in
            try feed(.block(block), reach.chunks, KeySink(body: body))
        }
    }

    /// The runs of a block by their key.
    struct KeyedRuns {
        let chunks: [ActivityChunk]
        var groups: [UInt32: [RunInScope]] = [:]
    }

    /// nil when runs do not tell which events are in scope.
    func runsByKey(_ block: Int) throws(WinnowError) -> KeyedRuns? {
        let reach = try gather(block, summaries: false)
        if plan.unique != nil, joins(reach.chunks) { return nil }
        var keyed = KeyedRuns(chunks: reach.chunks)
        for run in scratch.runs { keyed.groups[run.key ?? 0, default: []].append(run) }
        return keyed
    }

    /// Makes `out` the rows that the plan matches by these runs alone.
    func evaluate(_ runs: [RunInScope], _ chunks: [ActivityChunk], into out: BlockSet) throws(WinnowError) {
        var reach = Reach(chunks: chunks)
        for run in runs {
            switch run.form {
            case .head(let head): reach.bound = reach.bound.saturatingAdd(head.maximum)
            case .tail: reach.bound = reach.bound.saturatingAdd(chunks[run.chunk].tailMaximum)
            case .summary: break
            }
        }
        reach.scattered = reach.bound
        try evaluate(reach, .runs(runs), into: out)
    }

    /// Whether unique events must be found by comparing: a chunk's own marks say which events are unique, unless other
    /// chunks or links have a say.
    private func joins(_ chunks: [ActivityChunk]) -> Bool { plan.links != nil || chunks.count > 1 }

    /// Whether the stored counts of all events of the type answer: nothing restricts the scope and one part owns it.
    private func answerFromSummary(_ block: Int, into out: BlockSet) throws(WinnowError) -> Bool {
        guard plan.links == nil, plan.unique == nil, let scope = plan.parts.first, plan.parts.count == 1,
            scope.places == nil,
            let entry = try scope.part.find(scope.index, block: block), entry.hasSummary
        else { return false }
        scratch.take(.storedCounts)
        let summary = try scope.part.summary(entry)
        let upper = plan.upper.map { Int64(clamping: $0) } ?? .max
        summary.select(Int64(clamping: plan.lower)...upper, into: out, scratch.sliced)
        return true
    }

    /// Collects the runs in scope into the scratch, stored counts behind all others; bounds what a row can reach in
    /// all of them, and in those that are counted event by event.
    private func gather(
        _ block: Int, summaries usesSummaries: Bool
    ) throws(WinnowError) -> Reach {
        scratch.runs.removeAll(keepingCapacity: true)
        var chunks: [ActivityChunk] = [], bound: UInt64 = 0, stored: UInt64 = 0, summaries: [RunInScope] = []
        for scope in plan.parts {
            guard let entry = try scope.part.find(scope.index, block: block) else { continue }
            if usesSummaries, scope.places == nil, entry.hasSummary {
                let summary = try scope.part.summary(entry)
                summaries.append(RunInScope(form: .summary(summary), straddles: false, chunk: -1))
                stored = stored.saturatingAdd(UInt64(clamping: summary.bound))
                continue
            }
            let chunk = try scope.part.chunk(entry)
            let first = scratch.runs.count
            try gatherHeads(chunk, scope, chunks.count)
            var reach: UInt64 = 0
            for run in scratch.runs[first...] {
                if case .head(let head) = run.form { reach = reach.saturatingAdd(head.maximum) }
            }
            let heads = scratch.runs.count
            try gatherTail(chunk, scope, chunks.count)
            if scratch.runs.count > heads { reach = reach.saturatingAdd(chunk.tailMaximum) }
            if reach > 255, entry.hasSummary {
                reach = min(reach, UInt64(clamping: try scope.part.summary(entry).bound))
            }
            bound = bound.saturatingAdd(reach)
            chunks.append(chunk)
        }
        scratch.runs += summaries
        return Reach(chunks: chunks, bound: bound.saturatingAdd(stored), scattered: bound)
    }

    private func gatherHeads(_ chunk: ActivityChunk, _ scope: PartScope, _ number: Int) throws(WinnowError) {
        guard let places = scope.places else {
            for i in 0..<chunk.headCount {
                scratch.runs.append(RunInScope(form: .head(try chunk.head(i)), straddles: false, chunk: number))
            }
            return
        }
        if scope.leaves.count * 8 < chunk.headCount {
            var from = 0
            for leaf in scope.leaves {
                from = firstNotBelow(from..<chunk.headCount) { chunk.leaf(ofHead: $0) < leaf }
                guard from < chunk.headCount else { break }
                if chunk.leaf(ofHead: from) == leaf { append(.head(try chunk.head(from)), leaf, scope, number) }
            }
        } else {
            for i in 0..<chunk.headCount {
                let leaf = chunk.leaf(ofHead: i)
                guard leaf < places.count, places[leaf] != .out else { continue }
                append(.head(try chunk.head(i)), leaf, scope, number)
            }
        }
    }

    private func append(_ form: RunInScope.Form, _ leaf: Int, _ scope: PartScope, _ number: Int) {
        scratch.runs.append(
            RunInScope(
                form: form, straddles: scope.places?[leaf] == .straddles, chunk: number, key: scope.keys?[leaf]))
    }

    private func gatherTail(_ chunk: ActivityChunk, _ scope: PartScope, _ number: Int) throws(WinnowError) {
        guard let places = scope.places else {
            if chunk.tail.events > 0 {
                scratch.runs.append(
                    RunInScope(form: .tail(0..<chunk.tail.events), straddles: false, chunk: number))
            }
            return
        }
        if scope.leaves.count * 8 < chunk.tailRuns {
            var from = 0
            for leaf in scope.leaves {
                from = firstNotBelow(from..<chunk.tailRuns) { chunk.leaf(ofRun: $0) < leaf }
                guard from < chunk.tailRuns else { break }
                if chunk.leaf(ofRun: from) == leaf { append(.tail(try chunk.run(from)), leaf, scope, number) }
            }
        } else {
            for i in 0..<chunk.tailRuns {
                let leaf = chunk.leaf(ofRun: i)
                guard leaf < places.count, places[leaf] != .out else { continue }
                append(.tail(try chunk.run(i)), leaf, scope, number)
            }
        }
    }

    // MARK: Runs

    private func feed(_ supply: Supply, _ chunks: [ActivityChunk], _ sink: some CountSink) throws(WinnowError) {
        switch supply {
        case .runs(let runs): for run in runs { try feed(run, chunks, sink) }
        case .block(let block):
            guard let unique = plan.unique, joins(chunks) else {
                for run in scratch.runs { try feed(run, chunks, sink) }
                return
            }
            scratch.take(.uniqueJoin)
            let join = UniqueJoin(plan: plan, unique: unique, scratch: scratch)
            var contested: BlockSet?
            if plan.links == nil {
                // Of rows that one chunk alone speaks about, its marks are right.
                var alone = self
                alone.excluded = try join.contestedRows(block)
                contested = alone.excluded
                for run in scratch.runs { try alone.feed(run, chunks, sink) }
            }
            try join.forEach(block, in: contested) { row, part, leaf, message in
                scratch.kept[0] = row
                scratch.numbers[0] = 1
                scratch.messages[0] = part.keys?[leaf] ?? message
                sink.add(scratch.kept, keys: scratch.messages, by: scratch.numbers, 1)
            }
        }
    }

    private func feed(_ run: RunInScope, _ chunks: [ActivityChunk], _ sink: some CountSink) throws(WinnowError) {
        switch run.form {
        case .head(let head):
            if !run.straddles && plan.links == nil && plan.unique == nil && !sink.wantsKeys
                && (sink.unites || !head.streams.hasWeights)
            {
                scratch.take(.wholeHead)
                feedWhole(head, sink)
            } else {
                scratch.take(.headByEvent)
                let rows = scratch.rows(for: head.events)
                try head.eventRows(into: rows, distinct: scratch.distinct, counts: scratch.numbers)
                feedEvents(head.streams, 0..<head.events, rows, run, sink)
            }
        case .tail(let range):
            scratch.take(.tail)
            let chunk = chunks[run.chunk]
            feedEvents(chunk.tail, range, chunk.tailRows + range.lowerBound, run, sink)
        case .summary(let summary):
            scratch.take(.storedCountsAdded)
            if sink.unites {
                sink.add(summary.members, scratch.distinct)
            } else {
                summary.forEachAddend(scratch.sliced) { sink.add($0, by: $1, scratch.distinct) }
            }
        }
    }

    /// All events of a head, each counting once.
    private func feedWhole(_ head: ActivityChunk.Head, _ sink: some CountSink) {
        if head.countWidth == 0 || sink.unites {
            sink.add(head.container, scratch.distinct)
        } else {
            head.container.rows(into: scratch.distinct)
            ck_unpack32(head.counts, 0, head.distinct, UInt32(head.countWidth), 1, scratch.numbers)
            sink.add(scratch.distinct, by: scratch.numbers, head.distinct)
        }
    }

    /// Some events with their rows side by side; `rows` begins at the range's first.
    private func feedEvents(
        _ streams: EventStreams, _ range: Range<Int>, _ rows: UnsafePointer<UInt16>, _ run: RunInScope,
        _ sink: some CountSink
    ) {
        var stored: ClosedRange<UInt64>?
        if run.straddles {
            stored = streams.storedRange(plan.window)
            if stored == nil { return }
        }
        if stored != nil { scratch.take(.byTime) }
        if plan.links != nil { scratch.take(.byLink) }
        if plan.unique != nil { scratch.take(.byFirstMark) }
        if sink.wantsKeys { scratch.take(.byKey) }
        let single = plan.links != nil || plan.unique != nil || sink.wantsKeys || (streams.hasWeights && !sink.unites)
        var at = range.lowerBound
        while at < range.upperBound {
            let piece = at..<min(at + Scratch.piece, range.upperBound)
            let pieceRows = rows + (at - range.lowerBound)
            if single {
                feedOneByOne(streams, piece, pieceRows, stored, run.key, sink)
            } else if let stored {
                streams.storedTimes(piece, into: scratch.times)
                let count = kernels.keep_between(
                    pieceRows, scratch.times, piece.count, stored.lowerBound, stored.upperBound, scratch.kept)
                sink.add(scratch.kept, by: nil, count)
            } else {
                sink.add(pieceRows, by: nil, piece.count)
            }
            at = piece.upperBound
        }
    }

    /// Events that must be looked at singly: by link, as first events, by key, or because they count more than once.
    private func feedOneByOne(
        _ streams: EventStreams, _ piece: Range<Int>, _ rows: UnsafePointer<UInt16>, _ stored: ClosedRange<UInt64>?,
        _ key: UInt32?, _ sink: some CountSink
    ) {
        if stored != nil { streams.storedTimes(piece, into: scratch.times) }
        if plan.links != nil { streams.links(piece, into: scratch.links) }
        if plan.unique != nil { streams.firsts(piece, into: scratch.links) }
        streams.weights(piece, into: scratch.numbers)
        if sink.wantsKeys, key == nil { streams.messages(piece, into: scratch.messages) }
        let bit = plan.unique.map { UInt32($0.bit) }, out = excluded?.bits
        var count = 0
        for i in 0..<piece.count {
            if let stored, !stored.contains(scratch.times[i]) { continue }
            if let links = plan.links, !contains(links, scratch.links[i]) { continue }
            if let bit, scratch.links[i] & bit == 0 { continue }
            if let out, out[Int(rows[i] >> 6)] >> UInt64(rows[i] & 63) & 1 == 1 { continue }
            scratch.kept[count] = rows[i]
            scratch.numbers[count] = bit == nil ? scratch.numbers[i] : 1
            scratch.messages[count] = key ?? scratch.messages[i]
            count += 1
        }
        sink.add(scratch.kept, keys: scratch.messages, by: scratch.numbers, count)
    }

    private func contains(_ sorted: [UInt32], _ code: UInt32) -> Bool {
        let low = firstNotBelow(sorted.indices) { sorted[$0] < code }
        return low < sorted.count && sorted[low] == code
    }
}
