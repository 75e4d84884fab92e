import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How often this process, and those it was forked from since the first look, became a child: what was
/// opened at another number belongs to another process.
package enum Forks {
    private static let generation = Atomic(0)
    private static let isWatching: Bool =
        pthread_atfork(
            nil, nil, { Forks.generation.wrappingAdd(1, ordering: .relaxed) }) == 0

    package static var count: Int {
        _ = isWatching
        return generation.load(ordering: .relaxed)
    }
}
