import WinnowBitmaps
import WinnowColumns
import WinnowModel

extension AfterCondition {
    /// Events of a block: all in scope, or some of its runs.
    struct Events {
        let evaluation: ActivityEvaluation
        let block: BlockIndex
        /// Those they are in, in the order of their times; nil where these are not gathered.
        var runs: (gathered: GatheredRuns, range: Range<Int>)?

        init(_ scope: ActivityScope, _ view: BlockView, in gathered: GatheredRuns? = nil) {
            evaluation = ActivityEvaluation(scope, view.scratch, in: gathered)
            block = view.block
        }

        /// Gathers their runs, unless these do not tell which events are in scope, or what is
        /// stored of their rows tells more.
        init(
            _ scope: ActivityScope, _ view: BlockView, in gathered: GatheredRuns, _ order: TimeOrder
        ) throws(WinnowError) {
            self.init(scope, view, in: gathered)
            if !scope.parts.contains(where: \.tellsLast) { try gather(order) }
        }

        /// Gathers their runs, all or those that may have events among some times, where runs tell
        /// which events are in scope.
        mutating func gather(
            _ order: TimeOrder, among times: ClosedRange<Int64>? = nil
        ) throws(WinnowError) {
            let gathered = evaluation.gathered
            if try evaluation.gather(block, order, among: times) {
                runs = (gathered, gathered.runs.indices)
            }
        }

        /// Makes `out` the rows that have at least so many.
        func rows(
            having least: UInt64, within: BlockSet?, into out: BlockSet
        ) throws(WinnowError) {
            let wanted = ActivityEvaluation.Wanted(lower: least, upper: nil, out: out)
            if let (gathered, range) = runs {
                try evaluation.evaluate(gathered.runs[range], gathered, wanted)
            } else {
                let scratch = evaluation.scratch
                scratch.wanted.replace(by: wanted)
                try evaluation.within(within).evaluate(block, scratch.wanted.all)
            }
            if let within { out.formIntersection(within) }
        }

        /// - Parameter times: runs that are before these times, or after them, are passed over.
        func forEachTime(
            _ order: TimeOrder, among times: ClosedRange<Int64>? = nil, while rows: BlockSet,
            _ body: ActivityEvaluation.TimeBody
        ) throws(WinnowError) {
            if let (gathered, range) = runs {
                try unsafe evaluation.forEachTime(
                    gathered.runs[range], of: gathered, order, among: times, while: rows, body)
            } else {
                try unsafe evaluation.forEachTime(block, order, while: rows, body)
            }
        }

        /// Whether some run passes.
        func contains(where passes: (LeafSpan) -> Bool) -> Bool {
            guard let (gathered, range) = runs else { return false }
            return gathered.runs[range].contains { passes($0.span) }
        }

        /// Makes `out` the rows with events in runs that pass; none where runs do not tell which
        /// events are in scope.
        func unite(into out: BlockSet, where passes: (LeafSpan) -> Bool) throws(WinnowError) {
            guard let (gathered, range) = runs else { return out.clear() }
            try evaluation.unite(gathered.runs[range], of: gathered, into: out, where: passes)
        }

        /// Between which times all of them are; nil when runs do not tell.
        var times: ClosedRange<Int64>? {
            guard let (gathered, range) = runs else { return nil }
            var span = LeafSpan(first: .max, last: .min)
            for run in gathered.runs[range] { span.formUnion(run.span) }
            let window = evaluation.scope.window
            let first = max(span.first, window.lowerBound)
            let last = min(span.last, window.upperBound)
            return first <= last ? first...last : nil
        }

        /// The quarter hours of each row's last event, where more than runs is told; takes the rows
        /// of which it is not off the set.
        func lastQuarters(_ told: BlockSet) throws(WinnowError) -> SlicedBlock? {
            try runs == nil ? evaluation.lastQuarters(block, told) : nil
        }
    }
}
