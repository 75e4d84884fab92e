import WinnowBitmaps
import WinnowModel
import WinnowStorage

/// A condition of a rule bound to a snapshot: names are numbers, selectors are leaves, windows are
/// instants. One object is one condition, shared by all threads that evaluate it. Each kind has a
/// folder of its own, with its binding and its evaluation; the rest of the target knows only this.
package protocol BoundCondition: AnyObject, Sendable {
    /// What evaluation is likely to cost per block, for ordering; in nanoseconds, roughly.
    var cost: Int { get }

    /// How many profiles there are, where tables alone tell it; nil where blocks must be looked at.
    func storedCount(_ snapshot: StoreVersion) throws(WinnowError) -> Int?

    /// Makes `out` the rows of a block. Rows outside the view's candidates need not be right.
    /// Called on many threads, each with scratch of its own; allocates nothing and counts no
    /// references per event.
    func evaluate(_ view: BlockView, into out: BlockSet) throws(WinnowError)

    /// How many leaves are in scope; 0 for conditions on other things than records.
    var leaves: Int { get }

    /// What tells conditions apart that look at different data; those with the same may be
    /// evaluated in one pass. nil for conditions that gain nothing by that.
    var source: ObjectIdentifier? { get }

    /// The passes over the source that are worth it, each with the conditions that it evaluates, by
    /// their places among this one and the others; those in none are evaluated one by one.
    func passes(
        with others: [any BoundCondition]
    ) throws(WinnowError) -> [(pass: any SharedPass, members: [Int])]
}

extension BoundCondition {
    func storedCount(_ snapshot: StoreVersion) throws(WinnowError) -> Int? { nil }
    var source: ObjectIdentifier? { nil }
    var leaves: Int { 0 }
    func passes(
        with others: [any BoundCondition]
    ) throws(WinnowError) -> [(pass: any SharedPass, members: [Int])] { [] }
}

/// Several conditions on the same data, evaluated together.
package protocol SharedPass: Sendable {
    /// Makes each set the rows of its condition; the view has no candidates.
    func evaluate(_ view: BlockView, into sets: [BlockSet]) throws(WinnowError)
}

/// What a condition sees of a block: its number, the rows that matter, and scratch.
package struct BlockView {
    let block: BlockIndex
    /// Rows outside need not be right; nil for all.
    let candidates: BlockSet?
    let scratch: Scratch
    /// The sets of this nesting level and above are free.
    let level: Int

    /// A free set, by its number from 0 on.
    func spare(_ i: Int) -> BlockSet { scratch.set(level + i) }
}
