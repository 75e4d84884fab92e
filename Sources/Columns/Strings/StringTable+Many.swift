import WinnowCKernels
import WinnowFormat

extension StringTable.Columns {
    /// Where a string may be.
    private enum Place {
        /// In some entries.
        case bucket(UInt32, UInt32)
        /// It is that of an index, or none.
        case index(UInt32)
        case none
        /// Two have the same piece of its hash.
        case unclear
    }

    /// Finds the codes of many strings and takes those that it found off `missing`. In a large table
    /// each look waits four times for memory; here many strings wait for each step together.
    func find(
        _ strings: [UnsafeRawBufferPointer], _ hashes: [UInt64], _ missing: inout [Int],
        _ codes: inout [UInt32?], hiding hidden: HiddenCodes?
    ) {
        let shift = UInt64(64 - bits)
        func bucket(_ hash: UInt64) -> Int { bits == 0 ? 0 : Int(hash >> shift) }
        for i in missing { starts.prefetch(bucket(hashes[i])) }
        var places: [Place] = []
        places.reserveCapacity(missing.count)
        for i in missing {
            let bucket = bucket(hashes[i])
            let start = max(0, starts[bucket])
            let end = min(starts[bucket + 1], Int64(entries.count))
            if start < end {
                places.append(
                    .bucket(UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: end)))
                entries.prefetch(Int(start))
            } else {
                places.append(.none)
            }
        }
        let width = UInt64(StringTable.indexWidth(count))
        let mask = (1 as UInt64) << width &- 1
        for (k, i) in missing.enumerated() {
            guard case .bucket(let start, let end) = places[k] else { continue }
            let fragment = StringTable.fragment(hashes[i], bits)
            places[k] = .none
            for at in start..<end {
                let entry = UInt64(bitPattern: entries[Int(at)])
                guard entry >> width == fragment else { continue }
                let index = UInt32(truncatingIfNeeded: entry & mask)
                if case .none = places[k] {
                    places[k] = .index(index)
                } else {
                    places[k] = .unclear
                }
                ends.prefetch(Int(index))
            }
        }
        for place in places {
            guard case .index(let index) = place, index > 0, index < count else { continue }
            let start = ends[Int(index) - 1]
            guard start >= 0, unsafe start < text.count, let base = unsafe text.baseAddress else {
                continue
            }
            unsafe ck_prefetch(base + Int(start))
        }
        var left: [Int] = []
        for (k, i) in missing.enumerated() {
            switch places[k] {
            case .none: break
            case .bucket, .unclear:
                codes[i] = unsafe code(of: strings[i], hash: hashes[i], hiding: hidden)
            case .index(let index):
                let code = first &+ index
                if index < count, unsafe string(Int(index))?.holds(strings[i]) == true,
                    hidden?.contains(code) != true
                {
                    codes[i] = code
                }
            }
            if codes[i] == nil { left.append(i) }
        }
        missing = left
    }

    /// The string of an index below `count`; nil where the table is damaged.
    private func string(_ index: Int) -> UnsafeRawBufferPointer? {
        let start = index == 0 ? 0 : Int(ends[index - 1])
        return unsafe text.slice(start, Int(ends[index]) &- start)
    }
}
