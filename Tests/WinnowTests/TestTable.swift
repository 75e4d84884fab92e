import Winnow

/// A value of a table that a test makes.
enum TestValue {
    case text(String)
    case bytes([UInt8])
    case integer(Int64)
    case float(Double)
    case decimal(Int128)
    case boolean(Bool)
    /// Days.
    case date(Int32)
    /// In units of the column's layout.
    case time(Int64)
    case list([TestValue?])
}

/// Makes columns as Arrow lays them out, and keeps their memory.
@safe final class TestTable: @unchecked Sendable {
    private var memory: [UnsafeMutableRawPointer] = unsafe []
    /// Whether numbers, ends and codes stand where the processor does not like to find them.
    private let isShifted: Bool

    init(isShifted: Bool = false) { self.isShifted = isShifted }

    deinit { for i in unsafe memory.indices { unsafe memory[i].deallocate() } }

    func buffer<Value>(_ values: [Value]) -> UnsafeRawPointer {
        let size = max(values.count * MemoryLayout<Value>.stride, 1)
        let room = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        unsafe memory.append(room)
        unsafe values.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                unsafe room.copyMemory(from: base, byteCount: bytes.count)
            }
        }
        return UnsafeRawPointer(room)
    }

    /// - Parameter before: values before the first row, which nobody is to see.
    func column(_ layout: TableLayout, _ values: [TestValue?], before: Int = 0) -> TableColumn {
        let hidden: TestValue? = values.compactMap(\.self).first
        let all = Array(repeating: hidden, count: before) + values
        var bits = [UInt8](repeating: 0, count: all.count / 8 + 1)
        for (i, value) in all.enumerated() where value != nil { bits[i >> 3] |= 1 << UInt8(i & 7) }
        let hasAll = all.allSatisfy { $0 != nil }
        let validity = unsafe hasAll ? nil : buffer(bits).assumingMemoryBound(to: UInt8.self)
        func integers() -> [Int64] {
            all.map { value in
                switch value {
                case .integer(let number), .time(let number): number
                case .boolean(let flag): flag ? 1 : 0
                case .date(let day): Int64(day)
                default: 0
                }
            }
        }
        func made(
            _ values: UnsafeRawPointer?, texts: [UnsafeRawPointer?] = unsafe [],
            sizes: [Int64] = [], inner: [TableColumn] = []
        ) -> TableColumn {
            let pointers = unsafe buffer(texts).assumingMemoryBound(to: UnsafeRawPointer?.self)
            return unsafe TableColumn(
                count: all.count, offset: before, validity: validity, values: values,
                texts: UnsafeBufferPointer(start: pointers, count: texts.count),
                textSizes: buffer(sizes).assumingMemoryBound(to: Int64.self), inner: inner)
        }
        switch layout {
        case .nothing, .other: return made(nil)
        case .booleans:
            var values = [UInt8](repeating: 0, count: all.count / 8 + 1)
            for (i, bit) in integers().enumerated() where bit != 0 {
                values[i >> 3] |= 1 << UInt8(i & 7)
            }
            return unsafe made(buffer(values))
        case .integers(let width, _): return unsafe made(buffer(integers(), width: width))
        case .dates: return unsafe made(buffer(integers(), width: 4))
        case .times: return unsafe made(buffer(integers(), width: 8))
        case .floats(let width):
            let numbers = all.map { value -> Double in
                if case .float(let number) = value { number } else { 0 }
            }
            return unsafe made(width == 4 ? buffer(numbers.map { Float($0) }) : buffer(numbers))
        case .decimals:
            return unsafe made(
                buffer(all.map { if case .decimal(let number) = $0 { number } else { Int128(0) } }))
        case .texts(let width):
            var ends: [Int64] = [0]
            var bytes: [UInt8] = []
            for value in all {
                bytes += TestTable.bytes(value)
                ends.append(Int64(bytes.count))
            }
            return unsafe made(
                buffer(ends, width: width), texts: [buffer(bytes)])
        case .textViews:
            var views: [UInt8] = []
            var buffers: [[UInt8]] = [[], []]
            for (i, value) in all.enumerated() {
                let bytes = TestTable.bytes(value)
                var view = TestTable.little(Int64(bytes.count), 4)
                if bytes.count <= 12 {
                    view += bytes + Array(repeating: 0, count: 12 - bytes.count)
                } else {
                    view += bytes.prefix(4) + TestTable.little(Int64(i & 1), 4)
                    view += TestTable.little(Int64(buffers[i & 1].count), 4)
                    buffers[i & 1] += bytes
                }
                views += view
            }
            return unsafe made(
                buffer(views), texts: buffers.map { unsafe buffer($0) },
                sizes: buffers.map { Int64($0.count) })
        case .codes(let width, _, let meaning):
            var distinct: [TestValue?] = []
            var codes: [Int64] = []
            for value in all {
                let bytes = TestTable.bytes(value)
                let known = distinct.firstIndex { TestTable.bytes($0) == bytes }
                // What stands where there is no value means nothing.
                guard value != nil else {
                    codes.append(99)
                    continue
                }
                codes.append(Int64(known ?? distinct.count))
                if known == nil { distinct.append(value) }
            }
            return unsafe made(
                buffer(codes, width: width), inner: [column(meaning, distinct, before: before)])
        case .lists(let width, let element):
            var ends: [Int64] = [0]
            var elements: [TestValue?] = []
            for value in all {
                if case .list(let own) = value { elements += own }
                ends.append(Int64(elements.count))
            }
            return unsafe made(
                buffer(ends, width: width), inner: [column(element, elements, before: before)])
        }
    }

    private func buffer(_ values: [Int64], width: Int) -> UnsafeRawPointer {
        let bytes = values.flatMap { TestTable.little($0, width) }
        return unsafe isShifted ? buffer([0xEE] + bytes) + 1 : buffer(bytes)
    }

    private static func little(_ value: Int64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
    }

    private static func bytes(_ value: TestValue?) -> [UInt8] {
        switch value {
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        default: []
        }
    }

    /// A source of one batch or several.
    static func source(
        _ columns: [(name: String, layout: TableLayout)], _ batches: [[[TestValue?]]],
        before: Int = 0, isShifted: Bool = false
    ) -> LoadSource {
        let memory = TestTable(isShifted: isShifted)
        let made = batches.map { batch in
            TableBatch(
                rows: batch.first?.count ?? 0,
                columns: zip(columns, batch).map { memory.column($0.layout, $1, before: before) },
                owner: memory)
        }
        let next = Batches(made)
        return .table(
            Table(
                name: "the test's table",
                columns: columns.map { .init(name: $0.name, layout: $0.layout) }
            ) { next.next() })
    }
}

private final class Batches: @unchecked Sendable {
    private var rest: [TableBatch]

    init(_ batches: [TableBatch]) { rest = batches.reversed() }

    func next() -> TableBatch? { rest.popLast() }
}
