import WinnowModel

/// How the answer of a rule depends on the instant of evaluation, besides that what comes later
/// has not happened.
package enum TimeUse: Comparable, Sendable {
    /// Not at all.
    case none
    /// By the local day.
    case day
    /// To the millisecond.
    case instant
}

extension Rule {
    /// How the rule depends on the instant of evaluation; the segments that it uses aside.
    package var timeUse: TimeUse {
        if let condition = node.condition { return condition.timeUse }
        return switch node {
        case .tooDeep, .tooLarge: .instant
        default: node.children.map(\.timeUse).max() ?? .none
        }
    }
}

extension Window {
    /// Of times that may lie ahead.
    var timeUse: TimeUse {
        switch self {
        case .instants: .none
        case .dates(let from, let to): [from, to].compactMap { $0?.timeUse }.max() ?? .none
        case .period: .day
        case .last, .next, .daysAgo: .instant
        }
    }

    /// Of times of which none lies ahead.
    var timeUseOfEvents: TimeUse {
        switch self {
        case .last(_, let unit, let mode): Window.mode(mode, of: unit) == .rolling ? .instant : .day
        case .daysAgo: .day
        default: timeUse
        }
    }
}

extension Window.Day {
    var timeUse: TimeUse { if case .today = self { .day } else { .none } }
}
