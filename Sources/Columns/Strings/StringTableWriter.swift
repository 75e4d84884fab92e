import WinnowFormat
import WinnowModel

/// Writes the tables of a dictionary or keys part.
package enum StringTableWriter {
    /// One namespace's strings: what older parts that are merged had, then new ones.
    package struct Source {
        package var namespace: Namespace
        package var older: [StringTable]
        package var new: StringInterner?
        /// Which of the older strings are kept; of the others only the codes are.
        package var keeps: (UInt32) -> Bool

        package init(
            _ namespace: Namespace, older: [StringTable], new: StringInterner?,
            keeping keeps: @escaping (UInt32) -> Bool = { _ in true }
        ) {
            self.namespace = namespace
            self.older = older
            self.new = new
            self.keeps = keeps
        }

        package var isEmpty: Bool { older.allSatisfy { $0.count == 0 } && (new?.count ?? 0) == 0 }
        fileprivate var first: UInt32 { older.first?.first ?? new?.first ?? 0 }
    }

    package static func write(_ sources: [Source], to part: PartWriter) throws(WinnowError)
        -> PartReference
    {
        try append(sources, to: part)
        return try part.finish()
    }

    /// Writes the section of the tables. Complexity: O(strings) time; 9 bytes of memory a string of
    /// the largest source.
    package static func append(_ sources: [Source], to part: PartWriter) throws(WinnowError) {
        var layouts: [Layout] = []
        for source in sources where !source.isEmpty {
            layouts.append(try Layout(source, part.cancellation))
        }
        var head = ByteWriter()
        var offset = 8 + layouts.count * 32
        head.put(UInt32(clamping: layouts.count))
        head.put(UInt32(0))
        for layout in layouts {
            head.put(layout.source.namespace.rawValue)
            head.put(layout.source.first)
            head.put(UInt32(clamping: layout.count))
            head.put(UInt32(0))
            head.put(UInt64(offset))
            head.put(UInt64(layout.size))
            offset += layout.size
        }
        try part.begin(.strings)
        try part.append(head.bytes)
        for layout in layouts { try layout.write(to: part) }
    }

    /// One table, measured before it is written, so that nothing of it but the index is ever in
    /// memory.
    private struct Layout {
        let source: Source
        let count: Int
        private let cancellation: Cancellation
        /// Strings that are not purged.
        private let kept: Int
        private let bits: Int
        private let starts: [UInt32]
        private let ends, buckets, entries: PackedColumnWriter
        private let text: Int

        var size: Int { 8 + ends.size + buckets.size + entries.size + text }

        init(_ source: Source, _ cancellation: Cancellation) throws(WinnowError) {
            self.source = source
            self.cancellation = cancellation
            count = source.older.reduce(0) { $0 + $1.count } + (source.new?.count ?? 0)
            let bits = max(0, Packing.width(of: UInt64(count / StringTable.bucketSize)) - 1)
            var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
            var total = 0
            var first: Int?
            var kept = 0
            try unsafe source.forEach(cancellation) { string in
                if unsafe !string.isEmpty {
                    unsafe starts[Layout.bucket(stringHash(string), bits) + 1] += 1
                    kept += 1
                }
                total += string.count
                if first == nil { first = total }
            }
            self.kept = kept
            for i in 1..<starts.count { starts[i] += starts[i - 1] }
            self.bits = bits
            self.starts = starts
            text = total
            ends = PackedColumnWriter(count: count, base: Int64(first ?? 0), maximum: Int64(total))
            buckets = PackedColumnWriter(count: starts.count, base: 0, maximum: Int64(kept))
            let widest: Int64 = 1 << Int64(StringTable.fragmentBits + StringTable.indexWidth(count))
            entries = PackedColumnWriter(count: kept, base: 0, maximum: widest - 1)
        }

        private static func bucket(_ hash: UInt64, _ bits: Int) -> Int {
            bits == 0 ? 0 : Int(hash >> UInt64(64 - bits))
        }

        func write(to part: PartWriter) throws(WinnowError) {
            var head = ByteWriter()
            head.put(UInt32(bits))
            head.put(UInt32(0))
            try part.append(head.bytes)
            var ends = ends
            var buckets = buckets
            var entries = entries
            var end: Int64 = 0
            try ends.begin(part)
            try unsafe source.forEach(cancellation) { (string) throws(WinnowError) in
                end += Int64(string.count)
                try ends.append(end, to: part)
            }
            try ends.finish(part)
            try buckets.begin(part)
            for start in starts { try buckets.append(Int64(start), to: part) }
            try buckets.finish(part)
            try entries.begin(part)
            for entry in try sortedEntries() { try entries.append(Int64(entry), to: part) }
            try entries.finish(part)
            var pending: [UInt8] = []
            try unsafe source.forEach(cancellation) { (string) throws(WinnowError) in
                unsafe pending.append(contentsOf: string)
                guard pending.count >= 1 << 18 else { return }
                try part.append(pending)
                pending.removeAll(keepingCapacity: true)
            }
            try part.append(pending)
        }

        /// Fragment and index of every string, bucket by bucket.
        private func sortedEntries() throws(WinnowError) -> [UInt64] {
            let width = UInt64(StringTable.indexWidth(count))
            var next = starts
            var index: UInt64 = 0
            var entries = [UInt64](repeating: 0, count: kept)
            try unsafe source.forEach(cancellation) { string in
                defer { index += 1 }
                if unsafe string.isEmpty { return }
                let hash = unsafe stringHash(string)
                let bucket = Layout.bucket(hash, bits)
                entries[Int(next[bucket])] = StringTable.fragment(hash, bits) << width | index
                next[bucket] += 1
            }
            return entries
        }
    }
}

extension StringTableWriter.Source {
    /// Calls `body` with every string by its code; of one that is purged with nothing.
    fileprivate func forEach(
        _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(WinnowError) -> Void
    ) throws(WinnowError) {
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        for table in older {
            for i in 0..<table.count {
                if i % 65_536 == 0 { try cancellation.check() }
                try unsafe body(keeps(table.first + UInt32(i)) ? table.bytes(i) : nothing)
            }
        }
        try unsafe new?.forEach(body)
    }
}
