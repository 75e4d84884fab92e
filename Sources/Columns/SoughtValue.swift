import WinnowBitmaps
import WinnowCKernels
import WinnowFormat
import WinnowModel

/// A value that is looked for in everything that parts hold, decoded: texts that are equal to it,
/// and where it can be read as a number, date or instant, the numbers that it stands for.
package struct SoughtValue: Sendable {
    private let bytes: [UInt8]
    private let instant: Int64?
    /// How often an event may have happened; not once, which says nothing of anybody.
    private let count: UInt32?

    package init(_ text: String) {
        bytes = Array(text.utf8)
        instant = unsafe bytes.withUnsafeBytes { unsafe Instant(utf8: $0, allowSpace: true) }?
            .milliseconds
        count = UInt32(text).flatMap { $0 > 1 ? $0 : nil }
    }

    package func isEqual(to text: some Collection<UInt8>) -> Bool {
        text.count == bytes.count && text.elementsEqual(bytes)
    }

    /// Whether the bytes of the value are anywhere, as they are: for what belongs to no version
    /// and cannot be decoded.
    package func occurs(in content: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty,
            let base = unsafe content.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else {
            return false
        }
        return unsafe kernels.find_bytes(base, content.count, bytes, bytes.count) < content.count
    }

    /// What the value is stored as in a field that is not of text; nil when it cannot be.
    private func number(of field: Field) -> Int64? {
        unsafe bytes.withUnsafeBytes { text in
            guard field.type.nature == .quantity else { return unsafe field.number(text, .plain) }
            // However many digits are written.
            let scaled = unsafe DecimalLiteral(utf8: text)?.scaled(to: field.scale)
            return if case .value(let floor, exact: true) = scaled { floor } else { nil }
        }
    }

    /// What the value is stored as with records of a type; nil when it cannot be.
    private func number(of type: RecordType) -> Int64? {
        switch type {
        case .event: nil
        case .goal, .anonymousGoal: number(of: .goalValue)
        case .subscription: number(of: .priority)
        }
    }

    // MARK: Parts

    /// Looks through numbered strings.
    package func searchStrings(_ file: PartFile, _ found: Findings) throws(WinnowError) {
        for namespace in Namespace.allCases {
            guard let table = try StringTable(file, namespace) else { continue }
            for i in 0..<table.count where unsafe isEqual(to: table.bytes(i)) {
                found.add(file.path, "found as the id of \(namespace) \(Int(table.first) + i)")
            }
        }
    }

    /// Looks through events and ids of messages.
    package func search(_ part: ActivityPart, _ found: Findings) throws(WinnowError) {
        let path = part.file.path
        for block in try part.messageBlocks() {
            try unsafe part.messages(block)?.forEach(in: nil) { row, _, id in
                if unsafe isEqual(to: id) {
                    found.add(
                        path, "found as the id of a message of row \(Row(block, row).rawValue)"
                    )
                }
            }
        }
        for index in part.types.values
        where instant != nil || count != nil || number(of: index.type) != nil {
            let name = index.type.name
            let table = try part.leaves(of: index)
            for column in [table.minimum, table.maximum, table.firstWithoutMessage]
            where instant != nil {
                for i in 0..<table.count where column[i] == instant && table.events[i] > 0 {
                    found.add(path, "found as first or last time of \(name)")
                }
            }
            for (block, _) in try part.blocks(of: index.type) {
                var events: [EventRecord] = []
                try part.append(index.type, block: block, to: &events)
                for event in events where event.time == instant {
                    found.add(path, "found as the time of \(name) of row \(event.row.rawValue)")
                }
                for event in events where event.count == count {
                    found.add(path, "found as the number of \(name) of row \(event.row.rawValue)")
                }
                guard let number = number(of: index.type) else { continue }
                for event in events where event.value == number {
                    found.add(path, "found as the value of \(name) of row \(event.row.rawValue)")
                }
            }
        }
    }

    /// Looks through field values.
    package func search(_ part: ProfilePart, _ schema: Schema, _ found: Findings)
        throws(WinnowError)
    {
        let path = part.file.path
        for field in schema.fields {
            guard let index = part.field(field.name) else { continue }
            if index.encoding == .codes || index.encoding == .sets {
                let dictionary = try part.dictionary(index)
                for code in 0..<dictionary.count where unsafe isEqual(to: dictionary[code]) {
                    found.add(path, "found in the dictionary of field “\(field.name)”")
                }
            }
            for number in try part.blocks(index) {
                guard let block = try part.block(index, number) else { continue }
                let rows = block.members.allRows
                func add(_ rank: Int) {
                    let row = rank < rows.count ? Row(number, rows[rank]).rawValue : 0
                    found.add(path, "found in field “\(field.name)” of row \(row)")
                }
                switch block.column {
                case .texts(let texts):
                    try unsafe texts.forEach { rank, text in
                        if unsafe isEqual(to: text) { add(rank) }
                    }
                case .sliced(let sliced) where index.encoding == .numbers:
                    guard let wanted = self.number(of: field) else { continue }
                    for (rank, value) in unsafe sliced.values(rows: rows).enumerated()
                    where value == wanted {
                        add(rank)
                    }
                case .sliced, .sets: break
                }
            }
        }
    }

    /// Looks through campaigns and templates.
    package func searchObjects(_ file: PartFile, _ found: Findings) throws(WinnowError) {
        for object in try CataloguePart.read(file) {
            let texts =
                [object.id, object.name] + object.tags
                + object.attributes.flatMap { [$0.key, $0.value] }
            if texts.contains(where: { isEqual(to: $0) }) {
                let id = String(decoding: object.id, as: UTF8.self)
                found.add(file.path, "found in \(object.kind) “\(id)”")
            }
        }
    }
}
