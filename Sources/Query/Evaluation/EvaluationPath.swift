/// The ways in which a block can be evaluated. Each is counted, so that tests can show that they
/// have taken all of them, and nobody has to guess which one a rule takes.
package enum EvaluationPath: Int, CaseIterable, Sendable {
    /// A table tells the count of all blocks; stored counts answer alone, or are added to others.
    case storedCountAlone, storedCounts, storedCountsAdded
    /// Times of last events tell who has one since.
    case lastTimes
    /// Stored maxima say that nobody can qualify.
    case bounded
    /// Rows are united, counted in bytes, in bytes row by row, in bytes that were cut down, in 64
    /// bits.
    case united, counted, countedFew, countedCapped, countedWide
    case wholeHead, headByEvent, tail, tailRun
    /// Events are looked at for their time, link, first mark, or key; times are handed on.
    case byTime, byLink, byFirstMark, byKey, byEventTime
    case uniqueJoin
    case messageBits, messageSums, objectRuns, objectsOneByOne
    /// What comes after an event, row by row, as quarter hours of last events of both tell it, or
    /// those of one and the times of the others, or the spans of runs, in each object, or for each
    /// message.
    case afterRows, afterQuarters, afterTimes, afterSpans, afterObjects, afterPairs
    /// Objects are counted for themselves: few events of the tail as they are, few others row by
    /// row, many as a set, one by one where parts must be compared; or they must all meet the
    /// condition, or each row counts them.
    case objectTail, objectFew, objectSet, objectSums, objectsIntersected, objectsCounted
    case fieldPresence, fieldRanges, fieldLookUp, fieldDaysOfYear, fieldTexts, fieldAnyOf,
        fieldAllOf, fieldEmptySet, fieldFilledSet
    /// A newer part overlays an older one.
    case fieldOverlay
    /// A newer part has other records of some profiles; values of goals are looked at.
    case recordsOverlaid, goalValues
    case rows, sample
    /// Who is in a static segment, who entered or left it; who was found to be in a dynamic one before.
    case members, membershipChanges, savedRows
    case subtracted, complemented, spared
    /// Some profiles of the block are erased; a part has events that are forgotten.
    case erased, forgotten
    /// A set that is used several times; counts of the same events that are taken together, in one
    /// window or in windows that go forward in time.
    case shared, countedTogether, swept
}

extension EvaluationPath {
    /// How many there are; the last case is the greatest.
    static let count = EvaluationPath.swept.rawValue + 1
}

/// How often each path was taken in one evaluation; once a block, mostly.
package struct EvaluationPaths: Sendable {
    /// By raw value; in place, since a count that tables answer takes less time than an allocation.
    private var counts = InlineArray<64, Int>(repeating: 0)

    package init() {}

    package func count(_ path: EvaluationPath) -> Int { counts[path.rawValue] }

    mutating func record(_ path: EvaluationPath) { counts[path.rawValue] += 1 }

    /// Adds counts by raw value.
    mutating func add(_ taken: UnsafePointer<Int>) {
        for i in counts.indices where i < EvaluationPath.count { unsafe counts[i] += taken[i] }
    }

    mutating func subtract(_ other: EvaluationPaths) {
        for i in counts.indices { counts[i] -= other.counts[i] }
    }

    /// The paths that were taken.
    package var taken: [EvaluationPath] { EvaluationPath.allCases.filter { count($0) > 0 } }

    package mutating func add(_ other: EvaluationPaths) {
        for i in counts.indices { counts[i] += other.counts[i] }
    }
}
