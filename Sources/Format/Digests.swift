import WinnowCNettle

/// SHA-256 of some bytes.
package struct SHA256 {
    private var state = sha256_ctx()

    package init() { unsafe nettle_sha256_init(&state) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        unsafe nettle_sha256_update(&state, bytes.count, base)
    }

    package mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
        unsafe nettle_sha256_digest(&state, digest.count, &digest)
        return digest
    }
}

/// MD5 of some bytes: for services that ask for it, and nothing that should be safe.
package struct MD5 {
    private var state = md5_ctx()

    package init() { unsafe nettle_md5_init(&state) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        unsafe nettle_md5_update(&state, bytes.count, base)
    }

    package mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(MD5_DIGEST_SIZE))
        unsafe nettle_md5_digest(&state, digest.count, &digest)
        return digest
    }
}
