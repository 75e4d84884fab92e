import WinnowModel
import WinnowRules

/// An aggregate of values, compared with a bound, exactly: however many digits that has.
struct ValueTest: Sendable {
    let aggregate: GoalCondition.Value.Aggregate
    private let comparison: GoalCondition.Value.Comparison
    /// The bound in units of a value: the greatest whole number not above it, and the digits of
    /// what is left.
    private let floor: Int64
    private let fraction: [UInt8]

    init(
        _ aggregate: GoalCondition.Value.Aggregate,
        _ comparison: GoalCondition.Value.Comparison, _ bound: DecimalLiteral
    ) {
        self.aggregate = aggregate
        self.comparison = comparison
        guard case .value(let floor, let isExact) = bound.scaled(to: Field.goalValue.scale) else {
            // No valid rule has such a bound.
            (self.floor, fraction) = (bound.negative ? .min : .max, [])
            return
        }
        self.floor = floor
        fraction = isExact ? [] : ValueTest.fraction(of: bound)
    }

    /// Zeros after the point that matter: a share of fewer than 2⁶⁴ values has fewer.
    private static let mostZeros = 40

    /// What the bound has beyond its floor.
    private static func fraction(of bound: DecimalLiteral) -> [UInt8] {
        let count = bound.places - Field.goalValue.scale
        let digits = bound.digits.suffix(count)
        let zeros = min(mostZeros, count - digits.count)
        var fraction = [UInt8](repeating: 0, count: zeros) + digits
        guard bound.negative else { return fraction }
        // The floor of a negative number is further from zero: what is left is the rest to one.
        for i in fraction.indices { fraction[i] = 9 - fraction[i] }
        if let last = fraction.indices.last { fraction[last] += 1 }
        return fraction
    }

    /// Whether the aggregate of `count` values is as wanted.
    /// - Parameter total: their sum; of the least and the greatest value just that.
    func holds(_ total: Int128, count: UInt64) -> Bool {
        let order = order(total, aggregate == .average ? Int128(count) : 1)
        return switch comparison {
        case .atLeast: order >= 0
        case .atMost: order <= 0
        case .greaterThan: order > 0
        case .lessThan: order < 0
        }
    }

    /// Below, at or above zero as `total / count` is below, at or above the bound.
    private func order(_ total: Int128, _ count: Int128) -> Int {
        let above = total - count * Int128(floor)
        if fraction.isEmpty { return above.signum() == 0 ? 0 : above > 0 ? 1 : -1 }
        if above <= 0 { return -1 }
        if above >= count { return 1 }
        // Digit by digit, as one divides by hand.
        var rest = above
        for digit in fraction {
            rest *= 10
            let quotient = rest / count
            rest -= quotient * count
            if quotient != Int128(digit) { return quotient < Int128(digit) ? -1 : 1 }
        }
        return rest > 0 ? 1 : 0
    }
}
