/// The engine's tuned constants, each with the experiment behind it.
package enum Tuning {
    /// A run of fewer events than this in one leaf and block joins the tail of its chunk. Of 0, 32,
    /// 64 and 128 on 100 M events, 32 and 64 were smallest for one load (4.11 B/event); for one
    /// nightly batch the tail is a third of the size of heads alone (6.3 against 18.4 B/event).
    package static let smallestHead = 64

    /// A leaf of at least this many events that spans more than `splitSpan` is split by UTC month:
    /// the same size, and 5–10 % fewer postings in windowed rules, whose months are inside or
    /// outside the window as a whole.
    package static let splitEvents = 65_536
    package static let splitSpan: Int64 = 60 * 86_400_000

    /// Chunks of fewer events carry no summary: a summary costs 0.6 B/event in large chunks (0.24
    /// how often, 0.35 when last), and reading a small chunk's postings is as fast.
    package static let smallestSummary = 1024

    /// From this many of 65,536 rows on, bit slices are at the rows themselves and need no
    /// spreading by rank; at half the rows that at most doubles their size and saves 10–20 µs a
    /// block.
    package static let denseRows = 32_768

    /// Where a block has fewer events in scope, counting clears and compares their rows' counters
    /// alone: 64 KiB of counters take 3 µs, as long as some two thousand rows one by one.
    package static let fewEvents = 2048

    /// Strings of a field get a dictionary when it has at most this many distinct ones, or each
    /// occurs four times: their codes then take two bytes or less a row, where a string takes ten.
    package static let dictionaryStrings = 65_536

    /// At most so many parts of a kind: every part adds a directory probe per block and scope.
    package static let maximumParts = 8
}
