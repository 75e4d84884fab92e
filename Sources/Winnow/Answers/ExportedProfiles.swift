import WinnowBitmaps
import WinnowColumns
import WinnowFormat
import WinnowModel
import WinnowStorage

/// The fields of profiles that are written.
struct ExportedProfiles: Sendable {
    let keys: StringTables
    let columns: [FieldColumn]
    /// Which of them is the built-in status, which every profile has.
    let status: Int?

    /// - Parameter fields: their names; nil for all.
    init(_ fields: [String]?, _ snapshot: StoreVersion) throws(WinnowError) {
        let schema = snapshot.schema
        keys = try snapshot.keys()
        let names = fields ?? schema.exportOrder.map { schema.fields[$0].name }
        var columns: [FieldColumn] = []
        var status: Int?
        var seen: Set<[UInt8]> = []
        for name in names {
            let index = try schema.known(name)
            guard seen.insert(Array(name.utf8)).inserted else {
                throw .usage("the field “\(name)” is asked for twice")
            }
            if index == schema.globalStatus { status = columns.count }
            columns.append(try FieldColumn(try snapshot.profiles(), schema.fields[index]))
        }
        self.columns = columns
        self.status = status
    }

    /// What a profile has that has no value of its own.
    func missing(_ column: Int) -> FieldValue? { column == status ? ExportedProfiles.usual : nil }

    private static let usual = FieldValue.text(Array(Schema.usualStatus.utf8)[...])

    /// The id of a row of a block.
    func id(_ row: Int, _ block: BlockIndex) -> UnsafeRawBufferPointer? {
        unsafe keys.bytes(Row(block, UInt16(truncatingIfNeeded: row)).rawValue)
    }

    /// Calls `body` with the id and values of each row.
    func forEach(
        _ rows: BlockSet, of block: BlockIndex,
        _ body: (UnsafeRawBufferPointer, [FieldValue?]) -> Void
    ) throws(WinnowError) {
        var cells: [FieldCells] = []
        for column in columns { cells.append(try FieldCells(column, in: block, of: rows)) }
        var values = [FieldValue?](repeating: nil, count: cells.count)
        rows.forEach { row in
            for (i, cell) in cells.enumerated() {
                values[i] = cell[row] ?? missing(i)
            }
            if let id = unsafe id(row, block) { unsafe body(id, values) }
        }
    }
}

extension Schema {
    /// The fields as they are exported: those built in, then the store's own.
    package var exportOrder: [Int] {
        let first = ["email", "phone", "global_status", "appmetrica_device_id"].compactMap { name in
            fields.indices.prefix(fields.count - ownFields.count).first { fields[$0].name == name }
        }
        return first + ownFields.indices
    }

    /// The position of a field that somebody asks for.
    package func known(_ name: String) throws(WinnowError) -> Int {
        if let index = index(of: name) { return index }
        let hint = nearestHint(for: name, among: fields.map(\.name))
        throw .usage("the store has no field “\(name)”\(hint)")
    }
}
