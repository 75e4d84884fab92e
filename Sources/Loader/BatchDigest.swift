import WinnowCNettle
import WinnowModel

/// What a batch consists of, for comparing: its kind, its mode and the bytes of its files, in
/// order.
enum BatchDigest {
    static func of(_ kind: LoadKind, _ mode: LoadMode, files: [[UInt8]]) -> [UInt8] {
        var digest = SHA256()
        unsafe Array("\(kind.rawValue)\n\(mode.rawValue)\n".utf8).withUnsafeBytes {
            unsafe digest.update($0)
        }
        for file in files { unsafe file.withUnsafeBytes { unsafe digest.update($0) } }
        return digest.finish()
    }
}

/// SHA-256 of some bytes.
struct SHA256 {
    private var state = sha256_ctx()

    init() { unsafe nettle_sha256_init(&state) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        unsafe nettle_sha256_update(&state, bytes.count, base)
    }

    mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
        unsafe nettle_sha256_digest(&state, digest.count, &digest)
        return digest
    }
}
