import WinnowCKernels
import WinnowModel

/// A test on the bytes of a string; one that ignores case folds them first, its own are folded
/// already.
package struct TextTest: Sendable, Hashable {
    package let comparison: TextComparison
    package let ignoresCase: Bool

    package init(comparison: TextComparison, ignoresCase: Bool) {
        self.comparison = comparison
        self.ignoresCase = ignoresCase
    }

    package func passes(_ text: UnsafeRawBufferPointer) -> Bool {
        guard ignoresCase else { return unsafe comparison.passes(text) }
        return unsafe caseFolded(text).withUnsafeBytes { unsafe comparison.passes($0) }
    }

    /// Byte strings, none of them empty, one of which occurs in every text that passes; nil when
    /// that says nothing.
    package var necessaryParts: [[UInt8]]? {
        guard !ignoresCase else { return nil }
        let parts: [[UInt8]] =
            switch comparison {
            case .isOneOf(let values): values.count <= 8 ? Array(values) : []
            case .isFilled: []
            case .contains(let part), .hasPrefix(let part), .hasSuffix(let part): [part]
            case .matches(let pieces): pieces.max { $0.count < $1.count }.map { [$0] } ?? []
            }
        return parts.isEmpty || parts.contains(where: \.isEmpty) ? nil : parts
    }
}

/// How the bytes of a string are compared.
package enum TextComparison: Sendable, Hashable {
    case isOneOf(Set<[UInt8]>)
    case isFilled
    case contains([UInt8])
    case hasPrefix([UInt8])
    case hasSuffix([UInt8])
    /// Literal pieces between any runs.
    case matches([[UInt8]])

    package func passes(_ text: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .isOneOf(let values): return unsafe values.contains(Array(text))
        case .isFilled: return unsafe !text.isEmpty
        case .contains(let part): return unsafe TextComparison.find(part, in: text, from: 0) != nil
        case .hasPrefix(let part): return unsafe text.starts(with: part)
        case .hasSuffix(let part):
            return unsafe text.count >= part.count && text.suffix(part.count).elementsEqual(part)
        case .matches(let pieces): return unsafe TextComparison.matches(pieces, text)
        }
    }

    /// Where a piece first begins at or after an index. Complexity: O(text + piece).
    private static func find(_ part: [UInt8], in text: UnsafeRawBufferPointer, from start: Int)
        -> Int?
    {
        guard !part.isEmpty, let base = unsafe text.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else {
            return part.isEmpty ? start : nil
        }
        let found =
            unsafe start
            + ck_kernels().pointee.find_bytes(base + start, text.count - start, part, part.count)
        return found < text.count ? found : nil
    }

    /// The first piece is a prefix, the last a suffix, those between follow each other: leftmost
    /// matches suffice.
    private static func matches(_ pieces: [[UInt8]], _ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = pieces.first, let last = pieces.last else { return false }
        if pieces.count == 1 { return unsafe text.elementsEqual(first) }
        guard text.count >= first.count + last.count, unsafe text.starts(with: first),
            unsafe text.suffix(last.count).elementsEqual(last)
        else { return false }
        let middle = unsafe UnsafeRawBufferPointer(rebasing: text[..<(text.count - last.count)])
        var at = first.count
        for piece in pieces.dropFirst().dropLast() {
            guard let found = unsafe find(piece, in: middle, from: at) else { return false }
            at = found + piece.count
        }
        return true
    }
}
