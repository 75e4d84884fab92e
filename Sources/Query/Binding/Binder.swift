import WinnowFormat
import WinnowModel
import WinnowRules
import WinnowStorage

/// A segment ready to be evaluated on one snapshot.
package struct BoundSegment: Sendable {
    package var plan: Plan
    package var windows: [WindowReport]
    package var warnings: [RuleWarning]
}

/// How many objects the selectors of a condition chose; nil for no selector.
package struct SelectedObjects: Sendable {
    package var campaigns: Int?
    package var templates: Int?
}

/// One node of a segment, bound for itself.
package struct BoundNode: Sendable {
    package let path: RulePath
    package let rule: Rule
    package let kind: Kind
    package fileprivate(set) var windows: [WindowReport] = []
    package fileprivate(set) var warnings: [RuleWarning] = []
    /// nil for what has no selector.
    package let selected: SelectedObjects?

    /// What it is made of; others by their places among all nodes.
    package enum Kind: Sendable {
        case condition(Plan)
        case all([Int])
        case any([Int])
        case not(Int)
    }
}

/// A kind of condition that can be bound to a snapshot.
protocol BindableCondition {
    /// The key of its node: places in it begin there.
    static var key: RuleKey { get }

    /// Whether the answer depends on what is known only as it is now: fields, catalogue, or who
    /// there is.
    var usesCurrentState: Bool { get }

    /// Whether it is the same at every instant of evaluation.
    var isTimeless: Bool { get }

    /// The plan for the condition. Windows and warnings are reported to the binder, with places
    /// that begin at the condition.
    func bind(_ binder: inout Binder) throws(WinnowError) -> Plan
}

extension BindableCondition {
    var isTimeless: Bool { false }
}

extension Rule.Node {
    /// What a leaf of the tree says; nil for what is made of other rules.
    fileprivate var condition: (any BindableCondition)? {
        switch self {
        case .activity(let activity): activity
        case .field(let condition): condition
        case .subscription(let condition): condition
        case .goal(let condition): condition
        case .segment(let condition): condition
        case .sample(let sample): sample
        case .all, .any, .not, .tooDeep, .tooLarge: nil
        }
    }
}

/// Binds a segment to a snapshot: resolves names, selectors and windows, checks fields against the
/// schema, and collects windows and warnings.
struct Binder {
    let snapshot: StoreVersion
    let time: EvaluationTime
    /// What the segments of one call have in common.
    let shared: SharedBindings
    /// Whether unknown names and empty scopes are errors.
    let strict: Bool
    fileprivate private(set) var windows: [WindowReport] = []
    fileprivate private(set) var warnings: [RuleWarning] = []
    /// What the selectors of the condition at hand chose.
    fileprivate private(set) var selected = SelectedObjects()
    /// How many of a kind there were, and where and what the last of them is that was kept.
    private var told: [WarningKind: (count: Int, last: Int, message: String)] = [:]
    /// Where the binder is in the rule.
    private(set) var place = RulePath.document

    fileprivate init(
        _ snapshot: StoreVersion, _ time: EvaluationTime, strict: Bool, _ shared: SharedBindings
    ) {
        self.snapshot = snapshot
        self.time = time
        self.strict = strict
        self.shared = shared
    }

    /// For reckoning one condition that was bound before.
    init(reckoning snapshot: StoreVersion, _ time: EvaluationTime) {
        self.init(snapshot, time, strict: false, SharedBindings(of: []))
    }

    // MARK: Reports

    /// Runs `body` at a place further in.
    mutating func at<T>(
        _ key: RuleKey, _ body: (inout Binder) throws(WinnowError) -> T
    ) throws(WinnowError) -> T {
        place.enter(.key(key.rawValue))
        defer { place.leave() }
        return try body(&self)
    }

    /// The error for something at a key of the place where the binder is.
    func invalid(at key: RuleKey, _ message: String) -> WinnowError {
        .invalidRule(path: place.key(key), message: message)
    }

    /// Tells the author of the rule something; the count is exact all the same.
    mutating func note(_ code: String, _ message: String) {
        add(RuleWarning(code: code, path: place, message: message))
    }

    /// Adds a warning. Of one code and condition there are a few, the last of which says how many
    /// more there would be.
    fileprivate mutating func add(_ warning: RuleWarning) {
        let kind = WarningKind(code: warning.code, node: warning.path.node)
        let (count, last, message) = told[kind] ?? (0, 0, "")
        if count < Binder.mostWarnings {
            told[kind] = (count + 1, warnings.count, warning.message)
            warnings.append(warning)
        } else {
            told[kind] = (count + 1, last, message)
            warnings[last].message = "\(message); \(count + 1 - Binder.mostWarnings) more like this"
        }
    }

    private struct WarningKind: Hashable {
        let code: String
        let node: RulePath
    }

    private static let mostWarnings = 20

    /// The same, of what a strict evaluation takes for a mistake.
    mutating func warn(_ code: String, _ message: String) throws(WinnowError) {
        if strict { throw .invalidRule(path: place, message: message) }
        note(code, message)
    }

    /// Tells how many objects the selectors of a condition chose; nil for no selector.
    mutating func report(campaigns: Int?, templates: Int?) {
        selected = SelectedObjects(campaigns: campaigns, templates: templates)
    }

    /// Tells what a window is in absolute time.
    mutating func report(_ window: ResolvedWindow, at key: RuleKey) {
        windows.append(WindowReport(path: place.key(key), window: window))
    }

    // MARK: The tree

    fileprivate mutating func bind(_ rule: Rule) throws(WinnowError) -> Plan {
        if let condition = rule.node.condition {
            return try at(type(of: condition).key) { (binder) throws(WinnowError) in
                try binder.bindOnce(rule, condition)
            }
        }
        switch rule.node {
        case .all(let rules):
            return .all(try at(.all) { (binder) throws(WinnowError) in try binder.bind(rules) })
        case .any(let rules):
            return .any(try at(.any) { (binder) throws(WinnowError) in try binder.bind(rules) })
        case .not(let rule):
            return .not(try at(.not) { (binder) throws(WinnowError) in try binder.bind(rule) })
        default: throw .invalidRule(path: place, message: "the rule passes a limit")
        }
    }

    private mutating func bind(_ rules: [Rule]) throws(WinnowError) -> [Plan] {
        var plans: [Plan] = []
        for (i, rule) in rules.enumerated() {
            place.enter(.index(i))
            defer { place.leave() }
            plans.append(try bind(rule))
        }
        return plans
    }

    /// Binds a condition, or takes what an equal one was bound to; windows and warnings are
    /// reported at each place.
    private mutating func bindOnce(
        _ rule: Rule, _ condition: any BindableCondition
    ) throws(WinnowError) -> Plan {
        guard shared.areSeveral else { return try condition.bind(&self) }
        let key = SharedBindings.Key(
            rule: rule, zone: time.zone.name, asOf: condition.isTimeless ? nil : time.asOf)
        let bound: BoundSegment
        if let known = shared.conditions[key] {
            bound = known
        } else {
            var inner = Binder(snapshot, time, strict: strict, shared)
            do throws(WinnowError) {
                let plan = try condition.bind(&inner)
                bound = BoundSegment(plan: plan, windows: inner.windows, warnings: inner.warnings)
            } catch { throw error.inside(place) }
            shared.conditions[key] = bound
        }
        for report in bound.windows {
            windows.append(WindowReport(path: place.appending(report.path), window: report.window))
        }
        for warning in bound.warnings {
            warnings.append(
                RuleWarning(
                    code: warning.code, path: place.appending(warning.path),
                    message: warning.message))
        }
        return bound.plan
    }
}

extension Segment {
    /// Binds the segment to a snapshot.
    /// - Throws: `invalidRule` with the place in the rule.
    package func bind(
        to snapshot: StoreVersion, _ time: EvaluationTime, strict: Bool,
        sharing shared: SharedBindings
    ) throws(WinnowError) -> BoundSegment {
        try validate()
        var binder = Binder(snapshot, time, strict: strict, shared)
        for warning in warnings { binder.add(warning) }
        let plan = try binder.at(.where) { (binder) throws(WinnowError) in
            let plan = try binder.bind(rule).simplified()
            if time.isChosen, time.asOf < snapshot.manifest.time, rule.usesCurrentState {
                binder.note(
                    "fields_are_current",
                    "fields, catalogue and profiles are those of the newest batch, not of "
                        + "\(time.asOf)")
            }
            return plan
        }
        return BoundSegment(plan: plan, windows: binder.windows, warnings: binder.warnings)
    }
}

extension Segment {
    /// Binds each node for itself, parents before children, in the order of the rule.
    package func bindNodes(
        to snapshot: StoreVersion, _ time: EvaluationTime, strict: Bool
    ) throws(WinnowError) -> [BoundNode] {
        let bound = try bind(
            to: snapshot, time, strict: strict,
            sharing: SharedBindings(of: []))
        var binder = Binder(snapshot, time, strict: strict, SharedBindings(of: []))
        var nodes = try binder.at(.where) { (binder) throws(WinnowError) in
            try binder.nodes(rule)
        }
        // Each warning is the innermost node's that it is about.
        for warning in bound.warnings {
            let place = nodes.indices.last { warning.path.steps.starts(with: nodes[$0].path.steps) }
            nodes[place ?? 0].warnings.append(warning)
        }
        return nodes
    }
}

extension Binder {
    fileprivate mutating func nodes(_ rule: Rule) throws(WinnowError) -> [BoundNode] {
        let path = place
        if let condition = rule.node.condition {
            selected = SelectedObjects()
            windows = []
            let plan = try at(type(of: condition).key) { (binder) throws(WinnowError) in
                try condition.bind(&binder).simplified()
            }
            let hasSelector = selected.campaigns != nil || selected.templates != nil
            var node = BoundNode(
                path: path, rule: rule, kind: .condition(plan),
                selected: hasSelector ? selected : nil)
            node.windows = windows
            return [node]
        }
        var inner: [BoundNode] = []
        var children: [Int] = []
        /// Takes the nodes of a child, whose places begin after those that are there.
        func take(_ nodes: [BoundNode]) {
            let offset = inner.count + 1
            children.append(offset)
            inner += nodes.map { $0.moved(by: offset) }
        }
        func group(_ key: RuleKey, _ rules: [Rule]) throws(WinnowError) {
            place.enter(.key(key.rawValue))
            defer { place.leave() }
            for (i, rule) in rules.enumerated() {
                place.enter(.index(i))
                defer { place.leave() }
                take(try nodes(rule))
            }
        }
        let kind: BoundNode.Kind
        switch rule.node {
        case .all(let rules):
            try group(.all, rules)
            kind = .all(children)
        case .any(let rules):
            try group(.any, rules)
            kind = .any(children)
        case .not(let rule):
            take(try at(.not) { (binder) throws(WinnowError) in try binder.nodes(rule) })
            kind = .not(1)
        default: throw .invalidRule(path: place, message: "the rule passes a limit")
        }
        return [BoundNode(path: path, rule: rule, kind: kind, selected: nil)] + inner
    }
}

extension BoundNode {
    /// The same where all nodes are so many places further on.
    fileprivate func moved(by offset: Int) -> BoundNode {
        let moved: Kind =
            switch kind {
            case .condition: kind
            case .all(let nodes): .all(nodes.map { $0 + offset })
            case .any(let nodes): .any(nodes.map { $0 + offset })
            case .not(let node): .not(node + offset)
            }
        var node = BoundNode(path: path, rule: rule, kind: moved, selected: selected)
        node.windows = windows
        node.warnings = warnings
        return node
    }
}

extension Rule {
    fileprivate var usesCurrentState: Bool {
        if let condition = node.condition { return condition.usesCurrentState }
        return switch node {
        case .all(let rules), .any(let rules): rules.contains(where: \.usesCurrentState)
        // Who is not in it depends on who there is.
        default: true
        }
    }
}

extension RulePath {
    /// The condition, or group, that the place is in.
    fileprivate var node: RulePath {
        let kinds = RuleKey.conditions.map { Step.key($0.rawValue) }
        guard let end = steps.firstIndex(where: kinds.contains) else { return self }
        return RulePath(Array(steps[...end]))
    }
}
