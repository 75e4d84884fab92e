import WinnowColumns
import WinnowModel
import WinnowStorage

/// Loads campaigns or templates; an id that is loaded again is replaced whole, or as far as a row
/// says.
struct CatalogueLoading: Loading {
    private var pending: Batch
    private let kind: CatalogueObject.Kind
    private let namespace: Namespace
    /// As the store has them.
    private let existing: [[UInt8]: CatalogueObject]
    /// As the batch has them, where rows may say a part of them.
    private var patched: [[UInt8]: CatalogueObject] = [:]
    private let patches: Bool
    private var seen: Set<[UInt8]> = []
    let columns: ColumnNames

    private enum Column: Int { case id, name, tags, attributes, channel }

    init(_ writer: Writer, _ kind: CatalogueObject.Kind, _ options: LoadOptions) throws(WinnowError)
    {
        self.kind = kind
        namespace = kind.namespace
        pending = try Batch(writer.snapshot)
        existing = Dictionary(
            try writer.snapshot.catalogue().filter { $0.kind == kind }.map { ($0.id, $0) },
            uniquingKeysWith: { _, last in last })
        patches = options.mode == .patch
        var known = [
            InputColumn("id", .id, isRequired: true), InputColumn("name", .text),
            InputColumn("tags", .set), InputColumn("attributes", .other),
        ]
        if kind == .template { known.append(InputColumn("channel", .other)) }
        columns = ColumnNames(known, options)
    }

    /// What a row says.
    struct Row: Sendable {
        let object: CatalogueObject
        /// Columns of which it says something, by their numbers.
        let says: [Bool]
    }

    var parse: @Sendable (InputPiece, RowLayout, Cancellation) -> ParsedPiece<[Row]> {
        let kind = kind
        return { piece, layout, cancellation in
            var objects: [Row] = []
            let rows = RowReader(piece, layout, cancellation) { (cells) throws(BadRow) in
                objects.append(
                    Row(
                        object: try CatalogueLoading.object(kind, cells, layout.rules),
                        says: cells.map { $0.kind != .absent }))
            }
            return ParsedPiece(rows: rows.report, content: objects)
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

    mutating func gather(_ rows: [Row], _ summary: inout LoadSummary) throws(WinnowError) {
        for row in rows {
            let object = patches ? patch(row) : row.object
            guard
                unsafe object.id.withUnsafeBytes({ unsafe pending.names[namespace]?.intern($0) })
                    != nil
            else {
                throw .usage("the store has no room for more \(namespace) ids")
            }
            if seen.insert(object.id).inserted {
                if existing[object.id] != nil { summary.updated += 1 } else { summary.new += 1 }
            }
            pending.objects.append(object)
        }
    }

    /// What is known of an object, with what a row says of it.
    private mutating func patch(_ row: Row) -> CatalogueObject {
        let id = row.object.id
        guard var object = patched[id] ?? existing[id] else {
            patched[id] = row.object
            return row.object
        }
        func says(_ column: Column) -> Bool {
            column.rawValue < row.says.count && row.says[column.rawValue]
        }
        if says(.name) { object.name = row.object.name }
        if says(.tags) { object.tags = row.object.tags }
        if says(.attributes) { object.attributes = row.object.attributes }
        if says(.channel) { object.channel = row.object.channel }
        patched[id] = object
        return object
    }

    mutating func batch() -> Batch { pending }
}
