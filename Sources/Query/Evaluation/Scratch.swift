import WinnowBitmaps
import WinnowColumns
import WinnowModel
import WinnowThreads

/// What one thread needs to evaluate plans, allocated once: its size depends on the plan and on the
/// largest run that is met, not on the store. Used by one thread at a time, and kept for the next
/// evaluation: to get and return a megabyte of memory takes longer than many a rule.
@safe package final class Scratch: @unchecked Sendable {
    /// Counters of one byte a row; zero whenever nothing is being counted.
    let counters = UnsafeMutablePointer<UInt8>.allocate(capacity: Block.rows)
    /// Rows that were counted, where they are few.
    let touched = UnsafeMutablePointer<UInt16>.allocate(capacity: Tuning.fewEvents + 64)
    /// Counters for scopes in which a row can pass 255.
    private(set) lazy var wideCounters = RowBuffer<UInt64>()
    /// What values of each row come to.
    private(set) lazy var totals = RowBuffer<Int128>()
    /// How many objects each row has, where up to 255 matter and where more do.
    private(set) lazy var fewObjects = RowBuffer<UInt8>()
    private(set) lazy var objectCounts = RowBuffer<UInt32>()
    /// The time after which a row's events count, and the last one at which they do.
    private(set) lazy var starts = StartTimes()
    private(set) lazy var ends = RowBuffer<Int64>()
    private(set) lazy var pairTimes = PairTimes()
    private(set) lazy var messageSlots = MessageSlots()
    let sliced = SlicedBlock.Scratch()
    let universe = BlockSet.allocate()
    /// Rows of several chunks, and of those looked at so far.
    let contested = BlockSet.allocate()
    let seen = BlockSet.allocate()
    let uncontested = BlockSet.allocate()
    /// Rows of one event each, of the run at hand; only where events are walked one by one.
    private(set) var rows = UnsafeMutablePointer<UInt16>.allocate(capacity: Block.rows)
    private var rowCapacity = Block.rows
    /// Events are filtered in pieces of this many, a multiple of `SlicedStream.group`.
    static let piece = 8192
    /// A bit per event of a piece: those that are left, and two for working them out.
    let mask = UnsafeMutablePointer<UInt64>.allocate(capacity: Scratch.piece / 64)
    let spareMask = UnsafeMutablePointer<UInt64>.allocate(capacity: Scratch.piece / 64)
    let unitedMask = UnsafeMutablePointer<UInt64>.allocate(capacity: Scratch.piece / 64)
    /// Which of a head's rows are wanted, by rank.
    let ranks = UnsafeMutablePointer<UInt64>.allocate(capacity: Block.words + 1)
    let kept = UnsafeMutablePointer<UInt16>.allocate(capacity: Scratch.piece + 64)
    let numbers = UnsafeMutablePointer<UInt32>.allocate(capacity: Scratch.piece)
    let messages = UnsafeMutablePointer<UInt32>.allocate(capacity: Scratch.piece)
    let times = UnsafeMutablePointer<Int64>.allocate(capacity: Scratch.piece + 8)
    let distinct = UnsafeMutablePointer<UInt16>.allocate(capacity: Block.rows)
    let gathered = GatheredRuns(wholeTails: true)
    /// Runs of the event after which others count.
    let gatheredBefore = GatheredRuns(wholeTails: true)
    /// Runs by their keys, of the event that pairs are made of and of the one that must not have
    /// happened.
    let keyed = GatheredRuns(wholeTails: false)
    let excluded = GatheredRuns(wholeTails: false)
    /// What is asked of the events at hand.
    let wanted = WantedRows()
    /// Events that were looked at, and the bytes of what was: of runs, tables and columns, each as a
    /// whole.
    private(set) var postings = 0
    private(set) var bytes = 0
    private let taken = UnsafeMutablePointer<Int>.allocate(capacity: EvaluationPath.count)
    private var sets: [BlockSet] = []

    private init() {
        unsafe counters.initialize(repeating: 0, count: Block.rows)
        unsafe taken.initialize(repeating: 0, count: EvaluationPath.count)
    }

    private static let spares = Spares<Scratch>(most: availableCores())
    /// Events of a run, and runs of a block, from which on the scratch is too large to be kept.
    private static let mostEvents = 1 << 20
    private static let mostRuns = 1 << 16

    /// Scratch that nobody uses, with nothing counted and no path taken.
    static func take() -> Scratch { spares.take() ?? Scratch() }

    /// Keeps the scratch for others, after an evaluation that came to its end.
    func giveBack() {
        guard rowCapacity <= Scratch.mostEvents,
            max(
                gathered.capacity, gatheredBefore.capacity, keyed.capacity, excluded.capacity)
                <= Scratch.mostRuns
        else { return }
        if pairTimes.room > Scratch.mostRuns { pairTimes = PairTimes() }
        if messageSlots.capacity > Scratch.mostRuns { messageSlots = MessageSlots() }
        unsafe taken.update(repeating: 0, count: EvaluationPath.count)
        (postings, bytes) = (0, 0)
        Scratch.spares.keep(self)
    }

    /// Counts that a block was evaluated in this way.
    func record(_ path: EvaluationPath) { unsafe taken[path.rawValue] += 1 }

    /// Counts what is looked at.
    func look(at postings: Int = 0, bytes: Int) {
        self.postings += postings
        self.bytes += bytes
    }

    /// How often each path was taken, in the order of the cases.
    var paths: UnsafePointer<Int> { unsafe UnsafePointer(taken) }

    /// The set of a nesting level.
    func set(_ level: Int) -> BlockSet {
        while sets.count <= level { sets.append(BlockSet.allocate()) }
        return sets[level]
    }

    /// Room for the rows of so many events.
    func rows(for events: Int) -> UnsafeMutablePointer<UInt16> {
        if events > rowCapacity {
            unsafe rows.deallocate()
            rowCapacity = events
            unsafe rows = .allocate(capacity: events)
        }
        return unsafe rows
    }

    deinit {
        unsafe taken.deallocate()
        unsafe counters.deallocate()
        unsafe touched.deallocate()
        sliced.deallocate()
        universe.deallocate()
        contested.deallocate()
        seen.deallocate()
        uncontested.deallocate()
        unsafe rows.deallocate()
        unsafe mask.deallocate()
        unsafe spareMask.deallocate()
        unsafe unitedMask.deallocate()
        unsafe ranks.deallocate()
        unsafe kept.deallocate()
        unsafe numbers.deallocate()
        unsafe messages.deallocate()
        unsafe times.deallocate()
        unsafe distinct.deallocate()
        for set in sets { set.deallocate() }
    }
}

/// What is asked of the same events, in memory that is kept from block to block.
final class WantedRows {
    private(set) var all: [ActivityEvaluation.Wanted] = []

    func clear() { all.removeAll(keepingCapacity: true) }

    func append(_ wanted: ActivityEvaluation.Wanted) { all.append(wanted) }

    func replace(by wanted: ActivityEvaluation.Wanted) {
        clear()
        append(wanted)
    }
}

/// A number for each row of a block; what is rarely needed is allocated when it is first asked for.
@safe final class RowBuffer<Number: BitwiseCopyable> {
    let base = UnsafeMutablePointer<Number>.allocate(capacity: Block.rows)

    deinit { unsafe base.deallocate() }
}
