import WinnowColumns
import WinnowModel
import WinnowRules
import WinnowStorage

extension Binder {
    /// The dictionary codes plus one of what a selector chooses, ascending.
    mutating func codes(_ selector: Selector, _ namespace: Namespace) throws(WinnowError)
        -> [UInt32]
    {
        var result = Set(try codes(selector.ids, namespace))
        if selector.hasConditions {
            let index = try snapshot.catalogueIndex(namespace)
            try warnOfUnknownTags(selector.tags + selector.allTags, index)
            result.formUnion(selector.codes(in: index).map { $0 + 1 })
        }
        if result.isEmpty { try warn("empty_scope", "the selector matches nothing in the store") }
        return result.sorted()
    }

    /// The dictionary codes plus one of ids, ascending.
    mutating func codes(_ ids: [String], _ namespace: Namespace) throws(WinnowError) -> [UInt32] {
        guard !ids.isEmpty else { return [] }
        let strings = try snapshot.strings(namespace)
        var result: Set<UInt32> = []
        for id in ids {
            if let code = strings.code(of: id) {
                result.insert(code + 1)
            } else {
                try warn(
                    "unknown_\(namespace)",
                    "the \(namespace) “\(id)” was neither loaded nor seen in an event")
            }
        }
        return result.sorted()
    }

    private mutating func warnOfUnknownTags(
        _ tags: [String], _ index: CatalogueIndex
    ) throws(WinnowError) {
        var told: Set<[UInt8]> = []
        for tag in tags where index.withTag(tag) == nil && told.insert(Array(tag.utf8)).inserted {
            try warn("unknown_tag", "nothing in the store has the tag “\(tag)”")
        }
    }
}

extension Selector {
    /// The codes of the objects that satisfy every condition that is given; there is at least one.
    fileprivate func codes(in index: CatalogueIndex) -> Set<UInt32> {
        var conditions: [Set<UInt32>] = []
        if !tags.isEmpty { conditions.append(Set(tags.flatMap { index.withTag($0) ?? [] })) }
        for tag in allTags { conditions.append(Set(index.withTag(tag) ?? [])) }
        for condition in attributes {
            conditions.append(
                Set(condition.values.flatMap { index.with(attribute: condition.key, $0) }))
        }
        return conditions.dropFirst().reduce(conditions.first ?? []) { $0.intersection($1) }
    }
}
