import WinnowModel

// Segments as Swift code writes them:
//
//     let quiet: Segment = .email(.delivered, .atLeast(3), during: .last(30, .days)) && !.email(.opened)
//     let vip: Segment = .field("country", in: ["DE", "SE"]) && .field("ltv", .atLeast, 100)

extension Segment {
    /// Profiles in both. Names are dropped; segments of different time zones give one that cannot
    /// be evaluated.
    public static func && (a: Segment, b: Segment) -> Segment {
        Segment(a, b, .all(a.rule.parts(ofAll: true) + b.rule.parts(ofAll: true)))
    }

    /// Profiles in one of the two, or both. Names are dropped; segments of different time zones
    /// give one that cannot be evaluated.
    public static func || (a: Segment, b: Segment) -> Segment {
        Segment(a, b, .any(a.rule.parts(ofAll: false) + b.rule.parts(ofAll: false)))
    }

    /// All other profiles. The name is dropped.
    public static prefix func ! (a: Segment) -> Segment { Segment(a, a, .not(a.rule)) }
}

extension Rule {
    /// The parts of a group of the kind; a rule that is none is the only part. So chains of
    /// operators do not nest.
    fileprivate func parts(ofAll: Bool) -> [Rule] {
        switch node {
        case .all(let parts) where ofAll && !parts.isEmpty: parts
        case .any(let parts) where !ofAll && !parts.isEmpty: parts
        default: [self]
        }
    }
}
