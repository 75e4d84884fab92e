import WinnowColumns
import WinnowModel
import WinnowStorage

/// Loads campaigns or templates; an id that is loaded again is replaced whole.
struct CatalogueLoading: Loading {
    private var pending: Batch
    private let kind: CatalogueObject.Kind
    private let namespace: Namespace
    private var existing: Set<[UInt8]>
    private var seen: Set<[UInt8]> = []
    let columns: ColumnNames

    private enum Column: Int { case id, name, tags, attributes, channel }

    init(_ writer: Writer, _ kind: CatalogueObject.Kind, _ options: LoadOptions) throws(WinnowError)
    {
        self.kind = kind
        namespace = kind.namespace
        pending = try Batch(writer.snapshot)
        existing = Set(try writer.snapshot.catalogue().filter { $0.kind == kind }.map(\.id))
        var known = [
            InputColumn("id", .id, isRequired: true), InputColumn("name", .text),
            InputColumn("tags", .text), InputColumn("attributes", .other),
        ]
        if kind == .template { known.append(InputColumn("channel", .other)) }
        columns = ColumnNames(known, options)
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<[CatalogueObject]> {
        let kind = kind
        return { piece, layout, cancellation in
            var objects: [CatalogueObject] = []
            let rows = RowReader(piece, layout, cancellation) { (cells) throws(BadRow) in
                objects.append(try CatalogueLoading.object(kind, cells, layout.rules))
            }
            return ParsedPiece(rows: rows, content: objects)
        }
    }

    private static func object(
        _ kind: CatalogueObject.Kind, _ cells: [InputCell], _ rules: ValueRules
    ) throws(BadRow) -> CatalogueObject {
        func cell(_ column: Column) -> InputCell { cells[column.rawValue] }
        let name = cell(.name)
        let tags = cell(.tags)
        let attributes = cell(.attributes)
        var channel: Channel?
        if kind == .template, cell(.channel).isPresent {
            let text = try unsafe cell(.channel).text("channel")
            channel = Channel.allCases.first { unsafe $0.name.utf8.elementsEqual(text) }
            guard channel != nil else { throw unsafe .unknownChannel(text) }
        }
        let pairs = attributes.isPresent ? try attributes.attributes("attributes") : []
        return unsafe CatalogueObject(
            kind: kind, id: Array(try cell(.id).id("id")),
            name: name.isPresent ? Array(try name.text("name")) : [],
            channel: channel, tags: tags.isPresent ? try tags.strings("tags", rules) : [],
            attributes: pairs.map { .init(key: $0.key, value: $0.value) })
    }

    mutating func gather(_ objects: [CatalogueObject], _ summary: inout LoadSummary)
        throws(WinnowError)
    {
        for object in objects {
            guard
                unsafe object.id.withUnsafeBytes({ unsafe pending.names[namespace]?.intern($0) })
                    != nil
            else {
                throw .usage("the store has no room for more \(namespace) ids")
            }
            if seen.insert(object.id).inserted {
                if existing.contains(object.id) { summary.updated += 1 } else { summary.new += 1 }
            }
        }
        pending.objects += objects
    }

    mutating func batch() -> Batch { pending }
}
