/// Names by their bytes; none comes first.
package struct NameOrder: Sendable {
    private let names: [Namespace: (tables: StringTables, new: StringInterner?)]

    package init(_ names: [Namespace: GrowingStrings]) {
        self.names = names.mapValues { ($0.tables, $0.new) }
    }

    package init(_ names: [Namespace: StringTables]) { self.names = names.mapValues { ($0, nil) } }

    /// By time, then campaign, template and link.
    func comes(_ a: UniqueCandidate, before b: UniqueCandidate) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.campaign != b.campaign { return precedes(.campaign, a.campaign, b.campaign) }
        if a.template != b.template { return precedes(.template, a.template, b.template) }
        return a.link != b.link && precedes(.link, a.link, b.link)
    }

    private func precedes(_ namespace: Namespace, _ a: NameCode, _ b: NameCode) -> Bool {
        guard let first = a.code, let second = b.code else { return a == .none }
        return bytes(namespace, first).lexicographicallyPrecedes(bytes(namespace, second))
    }

    private func bytes(_ namespace: Namespace, _ code: UInt32) -> [UInt8] {
        guard let (tables, new) = names[namespace] else { return [] }
        if let known = unsafe tables.bytes(code) { return unsafe Array(known) }
        guard let new, code >= new.first, Int(code - new.first) < new.count else { return [] }
        return Array(new.bytes(Int(code - new.first)))
    }
}
