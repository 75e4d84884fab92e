import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension GoalCondition: BindableCondition {
    var usesCurrentState: Bool { condition.range.lower == 0 && value == nil }

    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan {
        let pixels = try binder.names(self.pixels, .pixel, at: .pixel)
        let goals = try binder.names(self.goals, .goal, at: .goal)
        let asOf = binder.time.asOf.milliseconds
        var window = Int64.min...asOf
        var isOpen = true
        if let resolved = during?.resolved(binder.time) {
            binder.report(resolved.ending(at: binder.time.asOf), at: .during)
            let own = resolved.milliseconds
            isOpen = own.map { $0.lowerBound <= asOf } ?? false
            if let own, isOpen { window = own.lowerBound...min(own.upperBound, asOf) }
        }
        let scope = Scope(campaigns: pixels, templates: goals, window: window, asOf: asOf)
        let events = isOpen ? try binder.events(scope, .goal, nil) : nil
        let counted = condition.plan { lower, upper in
            events.map { .condition(EventCondition($0, lower, upper)) } ?? .empty
        }
        guard let value else { return counted }
        guard let events, let literal = value.literal else { return .empty }
        let valued = Plan.condition(
            GoalValueCondition(events, ValueTest(value.aggregate, value.comparison, literal)))
        // Who has a value has reached a goal.
        return condition == .atLeast(1) ? valued : .all([counted, valued])
    }
}

extension CountCondition {
    /// The plan of the condition.
    /// - Parameter counted: gives the plan for counts between two bounds, the lower above zero.
    func plan(_ counted: (UInt64, UInt64?) -> Plan) -> Plan {
        let (lower, upper) = range
        if lower > 0 { return counted(lower, upper) }
        // Counts from zero up are what is left without the greater ones.
        guard let upper else { return .universe }
        return .not(counted(upper + 1, nil))
    }
}
