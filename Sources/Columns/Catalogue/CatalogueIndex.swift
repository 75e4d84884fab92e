import WinnowModel

/// Which campaigns, or templates, have a tag or an attribute: distinct dictionary codes, ascending,
/// so that a selector looks at what it chooses and not at the whole catalogue.
package struct CatalogueIndex: Sendable {
    private var tags: [[UInt8]: [UInt32]] = [:]
    private var attributes: [CatalogueObject.Attribute: [UInt32]] = [:]

    /// Objects whose id has no code were never seen in an event; their tags are known all the same.
    package init(_ objects: [CatalogueObject], _ ids: StringTables) {
        for object in objects {
            let code = ids.code(of: object.id).map { [$0] } ?? []
            for tag in object.tags { tags[tag, default: []] += code }
            for attribute in object.attributes { attributes[attribute, default: []] += code }
        }
        tags = tags.mapValues { $0.sortedDistinct() }
        attributes = attributes.mapValues { $0.sortedDistinct() }
    }

    /// nil for a tag that nothing has.
    package func withTag(_ tag: String) -> [UInt32]? { tags[Array(tag.utf8)] }

    package func with(attribute key: String, _ value: String) -> [UInt32] {
        attributes[CatalogueObject.Attribute(key: Array(key.utf8), value: Array(value.utf8))] ?? []
    }
}
