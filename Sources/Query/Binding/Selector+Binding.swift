import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension Binder {
    /// What a selector chooses in a channel, ascending.
    mutating func names(
        _ selector: Selector, _ namespace: Namespace, in channel: Channel
    ) throws(WinnowError) -> [NameCode] {
        var codes = try codes(selector.ids, namespace)
        if selector.hasConditions {
            let index = try snapshot.catalogueIndex(namespace)
            codes = [codes, try self.codes(selector, index)][...].united()
        }
        var names = codes.map { NameCode($0) }
        if let latest = selector.latest {
            let isRestricted = !selector.ids.isEmpty || selector.hasConditions
            names = try self.latest(
                latest, of: isRestricted ? names : nil, namespace, in: channel)
        }
        if names.isEmpty { try warn("empty_scope", "the selector matches nothing in the store") }
        return names
    }

    /// The objects, ascending, whose first sent event in a channel is latest, none after the
    /// instant of evaluation; of equal times the one with the bytewise greater id.
    /// - Parameter names: those to choose from; nil for all.
    private func latest(
        _ count: Int, of names: [NameCode]?, _ namespace: Namespace, in channel: Channel
    ) throws(WinnowError) -> [NameCode] {
        let first = try snapshot.firstTimes(of: .event(EventType(channel, .sent)), namespace)
        let asOf = time.asOf.milliseconds
        func isSent(_ name: NameCode) -> Bool { first[name].map { $0 <= asOf } ?? false }
        let sent = names?.filter(isSent) ?? first.keys.filter(isSent)
        guard sent.count > count else { return sent.sorted() }
        let strings = try snapshot.strings(namespace)
        func comes(_ a: NameCode, before b: NameCode) -> Bool {
            let (x, y) = (first[a] ?? 0, first[b] ?? 0)
            if x != y { return x > y }
            guard let x = a.code, let y = b.code, let x = unsafe strings.bytes(x),
                let y = unsafe strings.bytes(y)
            else { return false }
            return unsafe y.lexicographicallyPrecedes(x)
        }
        return sent.sorted(by: comes).prefix(count).sorted()
    }

    /// The names of ids that the store knows, ascending.
    mutating func names(_ ids: [String], _ namespace: Namespace) throws(WinnowError) -> [NameCode] {
        try codes(ids, namespace).map { NameCode($0) }
    }

    /// The codes of ids that the store knows, ascending.
    private mutating func codes(
        _ ids: [String], _ namespace: Namespace
    ) throws(WinnowError) -> [UInt32] {
        guard !ids.isEmpty else { return [] }
        let strings = try snapshot.strings(namespace)
        var codes: [UInt32] = []
        for id in ids {
            if let code = strings.code(of: id) {
                codes.append(code)
            } else {
                try warn(
                    "unknown_\(namespace)",
                    "the \(namespace) “\(id)” was neither loaded nor seen in an event")
            }
        }
        return codes.sortedDistinct()
    }

    /// The codes of the objects that satisfy every condition of a selector that is given, ascending;
    /// there is at least one condition.
    private mutating func codes(
        _ selector: Selector, _ index: CatalogueIndex
    ) throws(WinnowError) -> [UInt32] {
        var told: Set<[UInt8]> = []
        var tagged: [[UInt32]] = []
        for tag in selector.tags + selector.allTags {
            let codes = try index.withTag(tag)
            tagged.append(codes)
            guard codes.isEmpty, told.insert(Array(tag.utf8)).inserted else { continue }
            try warn("unknown_tag", "nothing in the store has the tag “\(tag)”")
        }
        var conditions = Array(tagged.dropFirst(selector.tags.count))
        if !selector.tags.isEmpty { conditions.append(tagged.prefix(selector.tags.count).united()) }
        for condition in selector.attributes {
            let codes = try condition.values.map { (value) throws(WinnowError) in
                try index.with(attribute: condition.key, value)
            }
            conditions.append(codes[...].united())
        }
        guard let first = conditions.first else { return [] }
        return conditions.dropFirst().reduce(first) { common, own in
            let own = Set(own)
            return common.filter { own.contains($0) }
        }
    }
}

extension ArraySlice<[UInt32]> {
    /// The numbers of all lists, which ascend.
    fileprivate func united() -> [UInt32] {
        let lists = filter { !$0.isEmpty }
        return lists.count < 2 ? lists.first ?? [] : lists.flatMap { $0 }.sortedDistinct()
    }
}
