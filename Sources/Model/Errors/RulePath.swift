/// A place in a rule, from its document inwards. Each form of rules prints it in its own way: JSON
/// as the path of keys and indices, `where.all[1].field.value`.
public struct RulePath: Hashable, Sendable {
    /// One step inwards.
    public enum Step: Hashable, Sendable {
        /// The value of a key.
        case key(String)
        /// An element of a list, from 0 on.
        case index(Int)
    }

    /// The steps from the document to the place.
    public private(set) var steps: [Step]

    /// The place that these steps lead to.
    public init(_ steps: [Step] = []) { self.steps = steps }

    /// The document as a whole.
    public static let document = RulePath()

    /// The place of a key in the object here.
    public func key(_ name: String) -> RulePath { RulePath(steps + [.key(name)]) }

    /// The place of an element in the list here.
    public func index(_ index: Int) -> RulePath { RulePath(steps + [.index(index)]) }

    /// The place that another path leads to from here.
    package func appending(_ other: RulePath) -> RulePath { RulePath(steps + other.steps) }

    /// Goes one step further in.
    package mutating func enter(_ step: Step) { steps.append(step) }

    /// Goes one step out again.
    package mutating func leave() { _ = steps.popLast() }
}

extension RulePath: CustomStringConvertible {
    /// As JSON has it: `where.all[1].field.value`; empty for the document.
    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}

extension WinnowError {
    /// The same error of a rule with a place that begins further out.
    package func inside(_ outer: RulePath) -> WinnowError {
        guard case .invalidRule(let path, let message) = self else { return self }
        return .invalidRule(path: outer.appending(path), message: message)
    }

    /// The same error of a rule with a place that begins one step further out.
    package func inside(_ step: RulePath.Step) -> WinnowError { inside(RulePath([step])) }
}
