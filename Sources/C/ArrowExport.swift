import Winnow
import WinnowCHeader
import WinnowModel

/// Profiles as an Arrow stream. Who takes it releases it; until then it keeps its version of the store.
@safe final class ArrowExport {
    private let table: ProfileTable
    /// What went wrong last, for `get_last_error`.
    private var failure: UnsafeMutablePointer<CChar>?

    private init(_ table: ProfileTable) { self.table = table }

    deinit { unsafe door_free(failure) }

    /// Fills in a stream.
    static func put(_ table: ProfileTable, into stream: UnsafeMutablePointer<ArrowArrayStream>) {
        unsafe stream.pointee = unsafe ArrowArrayStream(
            get_schema: { stream, schema in
                unsafe ArrowExport.of(stream).answer { export throws(WinnowError) in
                    guard let schema = unsafe schema else { throw missing("schema") }
                    unsafe export.put(into: schema)
                }
            },
            get_next: { stream, array in
                unsafe ArrowExport.of(stream).answer { export throws(WinnowError) in
                    guard let array = unsafe array else { throw missing("array") }
                    try unsafe export.putNext(into: array)
                }
            },
            get_last_error: { stream in unsafe UnsafePointer(ArrowExport.of(stream)?.failure) },
            release: { stream in
                guard let stream = unsafe stream, let own = unsafe stream.pointee.private_data
                else { return }
                unsafe Unmanaged<ArrowExport>.fromOpaque(own).release()
                unsafe stream.pointee.private_data = nil
                unsafe stream.pointee.release = nil
            },
            private_data: Unmanaged.passRetained(ArrowExport(table)).toOpaque())
    }

    private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> ArrowExport? {
        guard let own = unsafe stream?.pointee.private_data else { return nil }
        return unsafe Unmanaged<ArrowExport>.fromOpaque(own).takeUnretainedValue()
    }

    private func put(into schema: UnsafeMutablePointer<ArrowSchema>) {
        let id = ArrowType("U", name: Schema.idName, isNullable: false)
        let columns = table.fields.map { field in
            ArrowType(
                field.arrowFormat, name: field.name, isNullable: true,
                children: field.type == .stringSet
                    ? [ArrowType("U", name: "item", isNullable: false)] : [])
        }
        unsafe ArrowType("+s", name: "", isNullable: false, children: [id] + columns)
            .put(into: schema)
    }

    private func putNext(into array: UnsafeMutablePointer<ArrowArray>) throws(WinnowError) {
        guard let batch = try table.next() else {
            unsafe array.pointee = ArrowArray()
            return
        }
        let rows = batch.ids.count
        let columns = [ArrowValues(batch.ids)] + batch.columns.map { ArrowValues($0) }
        unsafe ArrowValues(rows, [nil], children: columns).put(into: array)
    }
}

extension ArrowExport? {
    /// Runs what a function of the stream does; returns an error number.
    fileprivate func answer(_ body: (ArrowExport) throws(WinnowError) -> Void) -> CInt {
        // EINVAL and EIO.
        guard let export = self else { return 22 }
        do throws(WinnowError) {
            try body(export)
            return 0
        } catch {
            export.fail(error)
            return 5
        }
    }
}

extension ArrowExport {
    fileprivate func fail(_ error: WinnowError) {
        unsafe door_free(failure)
        unsafe failure = nil
        let bytes = error.description.utf8.map { CChar(bitPattern: $0) } + [0]
        unsafe failure = try? copied(bytes)
    }
}

extension Field {
    /// https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings
    fileprivate var arrowFormat: String {
        switch type {
        case .string: "U"
        case .integer: "l"
        case .decimal: "d:18,\(scale)"
        case .boolean: "b"
        case .date: "tdD"
        case .datetime: "tsm:UTC"
        case .stringSet: "+l"
        }
    }
}

// MARK: What is handed out

/// Memory that belongs to who takes it, until it says that it is done.
@safe private final class HandedOut {
    private var memory: [UnsafeMutableRawPointer] = unsafe []

    deinit { for i in unsafe memory.indices { unsafe memory[i].deallocate() } }

    func room<Value>(_: Value.Type, _ count: Int) -> UnsafeMutablePointer<Value> {
        // Arrow advises 64.
        let room = UnsafeMutableRawPointer.allocate(
            byteCount: max(count * MemoryLayout<Value>.stride, 1), alignment: 64)
        unsafe memory.append(room)
        return unsafe room.bindMemory(to: Value.self, capacity: count)
    }

    func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
        let room = unsafe room(Value.self, values.count)
        unsafe values.withUnsafeBufferPointer { values in
            if let base = values.baseAddress {
                unsafe room.update(from: base, count: values.count)
            }
        }
        return unsafe room
    }

    func text(_ text: String) -> UnsafePointer<CChar> {
        unsafe UnsafePointer(copy(text.utf8.map { CChar(bitPattern: $0) } + [0]))
    }

    /// For `private_data`.
    var handle: UnsafeMutableRawPointer { unsafe Unmanaged.passRetained(self).toOpaque() }

    static func release(_ handle: UnsafeMutableRawPointer?) {
        guard let handle = unsafe handle else { return }
        unsafe Unmanaged<HandedOut>.fromOpaque(handle).release()
    }
}

/// What becomes an `ArrowSchema`.
private struct ArrowType {
    let format, name: String
    let isNullable: Bool
    let children: [ArrowType]

    init(_ format: String, name: String, isNullable: Bool, children: [ArrowType] = []) {
        self.format = format
        self.name = name
        self.isNullable = isNullable
        self.children = children
    }

    func put(into schema: UnsafeMutablePointer<ArrowSchema>) {
        let memory = HandedOut()
        let own = unsafe memory.room(UnsafeMutablePointer<ArrowSchema>?.self, children.count)
        for (i, child) in children.enumerated() {
            let place = unsafe memory.room(ArrowSchema.self, 1)
            unsafe child.put(into: place)
            unsafe own[i] = unsafe place
        }
        unsafe schema.initialize(
            to: ArrowSchema(
                format: memory.text(format), name: memory.text(name), metadata: nil,
                flags: isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0,
                n_children: Int64(children.count), children: own, dictionary: nil,
                release: { schema in
                    guard let schema = unsafe schema else { return }
                    for i in 0..<Int(unsafe schema.pointee.n_children) {
                        let child = unsafe schema.pointee.children[i]
                        unsafe child?.pointee.release?(child)
                    }
                    unsafe schema.pointee.release = nil
                    unsafe HandedOut.release(schema.pointee.private_data)
                },
                private_data: memory.handle))
    }
}

/// What becomes an `ArrowArray`.
@safe private struct ArrowValues {
    private let count: Int
    private let missing: Int
    private let memory: HandedOut
    private let buffers: [UnsafeRawPointer?]
    private let children: [ArrowValues]

    init(_ count: Int, _ buffers: [UnsafeRawPointer?], children: [ArrowValues]) {
        self.count = count
        missing = 0
        memory = HandedOut()
        unsafe self.buffers = unsafe buffers
        self.children = children
    }

    init(_ texts: ProfileColumns.Texts) {
        count = texts.count
        missing = 0
        memory = HandedOut()
        unsafe buffers = unsafe [
            nil, UnsafeRawPointer(memory.copy(texts.offsets)),
            UnsafeRawPointer(memory.copy(texts.bytes)),
        ]
        children = []
    }

    init(_ column: ProfileColumns.Column) {
        count = column.count
        missing = column.missing
        let memory = HandedOut()
        var buffers = unsafe [
            missing == 0 ? nil : UnsafeRawPointer(memory.copy(column.validity))
        ]
        switch column.field.type {
        case .string:
            unsafe buffers.append(UnsafeRawPointer(memory.copy(column.texts.offsets)))
            unsafe buffers.append(UnsafeRawPointer(memory.copy(column.texts.bytes)))
        case .integer, .datetime:
            unsafe buffers.append(UnsafeRawPointer(memory.copy(column.numbers)))
        case .decimal:
            unsafe buffers.append(UnsafeRawPointer(memory.copy(column.numbers.map { Int128($0) })))
        case .date:
            unsafe buffers.append(
                UnsafeRawPointer(
                    memory.copy(column.numbers.map { Int32(truncatingIfNeeded: $0) })))
        case .boolean:
            var bits = [UInt8](repeating: 0, count: (count + 7) / 8)
            for (i, number) in column.numbers.enumerated() where number != 0 {
                bits[i >> 3] |= 1 << UInt8(i & 7)
            }
            unsafe buffers.append(UnsafeRawPointer(memory.copy(bits)))
        case .stringSet: unsafe buffers.append(UnsafeRawPointer(memory.copy(column.starts)))
        }
        self.memory = memory
        unsafe self.buffers = unsafe buffers
        children = column.field.type == .stringSet ? [ArrowValues(column.texts)] : []
    }

    func put(into array: UnsafeMutablePointer<ArrowArray>) {
        let own = unsafe memory.room(UnsafeMutablePointer<ArrowArray>?.self, children.count)
        for (i, child) in children.enumerated() {
            let place = unsafe memory.room(ArrowArray.self, 1)
            unsafe child.put(into: place)
            unsafe own[i] = unsafe place
        }
        unsafe array.initialize(
            to: ArrowArray(
                length: Int64(count), null_count: Int64(missing), offset: 0,
                n_buffers: Int64(buffers.count), n_children: Int64(children.count),
                buffers: memory.copy(buffers), children: own, dictionary: nil,
                release: { array in
                    guard let array = unsafe array else { return }
                    for i in 0..<Int(unsafe array.pointee.n_children) {
                        let child = unsafe array.pointee.children[i]
                        unsafe child?.pointee.release?(child)
                    }
                    unsafe array.pointee.release = nil
                    unsafe HandedOut.release(array.pointee.private_data)
                },
                private_data: memory.handle))
    }
}
