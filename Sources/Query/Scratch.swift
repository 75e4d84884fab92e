import Bitmaps
import Columns
import Model

/// What one thread needs to evaluate plans, allocated once: its size depends on the plan and on the largest run that is
/// met, not on the store.
final class Scratch {
    /// Counters of one byte a row.
    let counters = UnsafeMutablePointer<UInt8>.allocate(capacity: Block.rows)
    /// Counters for scopes in which a row can pass 255; allocated when the first such block is met.
    private(set) lazy var wideCounters = UnsafeMutablePointer<UInt64>.allocate(capacity: Block.rows)
    private var wideUsed = false
    let sliced = SlicedBlock.Scratch()
    let universe = BlockSet.allocate()
    /// Rows of several chunks, and of those looked at so far.
    let contested = BlockSet.allocate()
    let seen = BlockSet.allocate()
    /// Rows of one event each, of the run at hand.
    private(set) var rows = UnsafeMutablePointer<UInt16>.allocate(capacity: Block.rows)
    private var rowCapacity = Block.rows
    /// Streams are unpacked in pieces of this many events.
    static let piece = 8192
    let times = UnsafeMutablePointer<UInt64>.allocate(capacity: Scratch.piece)
    let kept = UnsafeMutablePointer<UInt16>.allocate(capacity: Scratch.piece)
    let numbers = UnsafeMutablePointer<UInt32>.allocate(capacity: Block.rows)
    let links = UnsafeMutablePointer<UInt32>.allocate(capacity: Scratch.piece)
    let messages = UnsafeMutablePointer<UInt32>.allocate(capacity: Scratch.piece)
    let distinct = UnsafeMutablePointer<UInt16>.allocate(capacity: Block.rows)
    var runs: [RunInScope] = []
    private var taken = [Int](repeating: 0, count: EvaluationPath.allCases.count)
    private var sets: [BlockSet] = []

    func take(_ path: EvaluationPath) { taken[path.rawValue] += 1 }

    /// The set of a nesting level.
    func set(_ level: Int) -> BlockSet {
        while sets.count <= level { sets.append(BlockSet.allocate()) }
        return sets[level]
    }

    func wide() -> UnsafeMutablePointer<UInt64> {
        wideUsed = true
        return wideCounters
    }

    /// Room for the rows of so many events.
    func rows(for events: Int) -> UnsafeMutablePointer<UInt16> {
        if events > rowCapacity {
            rows.deallocate()
            rowCapacity = events
            rows = .allocate(capacity: events)
        }
        return rows
    }

    deinit {
        EvaluationPaths.add(taken)
        counters.deallocate()
        if wideUsed { wideCounters.deallocate() }
        sliced.deallocate()
        universe.deallocate()
        contested.deallocate()
        seen.deallocate()
        rows.deallocate()
        times.deallocate()
        kept.deallocate()
        numbers.deallocate()
        links.deallocate()
        messages.deallocate()
        distinct.deallocate()
        for set in sets { set.deallocate() }
    }
}

/// A run of one chunk that is in scope, and whether its times must be looked at.
struct RunInScope {
    enum Form {
        case head(ActivityChunk.Head)
        case tail(Range<Int>)
        /// All events of the block, as the stored counts of their rows.
        case summary(SlicedBlock)
    }
    var form: Form
    var straddles: Bool
    /// Index into the chunks of the block at hand; −1 for a summary.
    var chunk: Int
    /// What pairs its events with others, where that is the same for all of them; nil for their message.
    var key: UInt32?
}
