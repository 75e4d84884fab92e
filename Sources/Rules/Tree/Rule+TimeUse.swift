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
        switch node {
        case .all(let parts), .any(let parts): parts.map(\.timeUse).max() ?? .none
        case .not(let part): part.timeUse
        case .activity(let activity): activity.during?.timeUseOfEvents ?? .none
        case .goal(let goal): goal.during?.timeUseOfEvents ?? .none
        case .segment(let condition): condition.history?.during?.timeUseOfEvents ?? .none
        case .field(let condition): condition.timeUse
        case .subscription(let condition): condition.during?.timeUse ?? .none
        case .sample: .none
        case .tooDeep, .tooLarge: .instant
        }
    }
}

extension Window {
    /// Of times that may lie ahead.
    fileprivate var timeUse: TimeUse {
        switch self {
        case .instants: .none
        case .dates(let from, let to): [from, to].compactMap { $0?.timeUse }.max() ?? .none
        case .period: .day
        case .last, .next, .daysAgo: .instant
        }
    }

    /// Of times of which none lies ahead.
    fileprivate var timeUseOfEvents: TimeUse {
        switch self {
        case .last(_, let unit, let mode): Window.mode(mode, of: unit) == .rolling ? .instant : .day
        case .daysAgo: .day
        default: timeUse
        }
    }
}

extension Window.Day {
    fileprivate var timeUse: TimeUse { if case .today = self { .day } else { .none } }
}

extension FieldCondition {
    fileprivate var timeUse: TimeUse {
        func use(_ literal: Literal) -> TimeUse {
            guard case .string(let text) = literal else { return .none }
            return Window.Day(text)?.timeUse ?? .none
        }
        return switch operand {
        case .none: .none
        case .value(let literal): use(literal)
        case .list(let literals): literals.lazy.map(use).max() ?? .none
        case .window(let window): window.timeUse
        case .anniversary, .age: .day
        }
    }
}
