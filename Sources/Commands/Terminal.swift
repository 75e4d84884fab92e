import Synchronization
import Winnow

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Standard input, output and error, and the end of the process.
package struct Terminal: Session {
    package init() {}

    private static let isQuiet = Atomic(false)
    private static let isVerbose = Atomic(false)

    /// From now on standard error has nothing but errors.
    package static func beQuiet() { isQuiet.store(true, ordering: .relaxed) }

    /// From now on standard error also says what is done.
    package static func beVerbose() {
        isVerbose.store(true, ordering: .relaxed)
        Store.listenToWork { detail($0) }
    }

    package var isForPrograms: Bool { false }
    package var input: LoadInput? { nil }
    package var profiles: [String]? { nil }
    package func store(at path: String) throws(WinnowError) -> Store { try Store(path) }
    package func snapshot(of path: String) throws(WinnowError) -> Snapshot {
        try Store(path).snapshot()
    }

    /// Lets counts of other processes go before the work of this one, unless somebody gave it a
    /// priority (`nice`) of its own. Alone on a machine it is as fast as before.
    package func giveWay() {
        if nice(0) == 0 { _ = nice(10) }
    }

    /// Writes a line to standard error, when somebody wants to know all.
    package static func detail(_ line: String) {
        if isVerbose.load(ordering: .relaxed) { Terminal().note(line) }
    }

    /// Writes help to standard error.
    package static func help(_ text: String) { try? write(text + "\n", to: STDERR_FILENO) }

    /// Writes a line to standard error, unless only errors are wanted there.
    package func note(_ line: String) {
        if !Terminal.isQuiet.load(ordering: .relaxed) { Terminal.error(line) }
    }

    /// Writes a line to standard error. Control characters of data are escaped there.
    package static func error(_ line: String) {
        endStatus()
        try? write(escaped(line) + "\n", to: STDERR_FILENO)
    }

    /// A closed pipe ends the process without a word, whatever the parent has made of the signal.
    package static func endOnClosedPipe() { signal(SIGPIPE, SIG_DFL) }

    /// A file that may not grow any further (`ulimit -f`) fails a write instead of ending the
    /// process.
    package static func goOnAtFileLimit() { signal(SIGXFSZ, SIG_IGN) }

    /// Fails where the process may open so few files at a time that the system's own libraries
    /// would stop it.
    package static func checkOpenFiles() throws(WinnowError) {
        var limit = rlimit()
        #if canImport(Glibc)
            let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            let result = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        if result == 0, limit.rlim_cur < 16 {
            throw .io(operation: "open 16 files in", path: "this shell", code: EMFILE)
        }
    }

    /// Lets the process open as many files as the system gives it.
    /// - Returns: how many that are.
    package static func raiseOpenFiles() -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0 else { return 256 }
        var wanted = limit
        wanted.rlim_cur = limit.rlim_max
        if setrlimit(files, &wanted) == 0 { limit = wanted }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether somebody may be watching standard error.
    package var showsProgress: Bool {
        isatty(STDERR_FILENO) != 0 && !Terminal.isQuiet.load(ordering: .relaxed)
    }

    private static let hasStatus = Atomic(false)

    /// Writes a line over the one before it.
    package func status(_ line: String) {
        Terminal.hasStatus.store(true, ordering: .relaxed)
        try? Terminal.write("\r\u{1B}[K" + Terminal.escaped(line), to: STDERR_FILENO)
    }

    private static func endStatus() {
        if hasStatus.exchange(false, ordering: .relaxed) {
            try? write("\r\u{1B}[K", to: STDERR_FILENO)
        }
    }

    private static let interrupted = Atomic(false)

    /// From now on the first interruption is for the caller to notice; a second one ends the
    /// process at once.
    package func interruption() -> @Sendable () -> Bool {
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&wanted, number)
            // Without SA_RESTART: waiting for input ends with the signal instead of going on after
            // it.
            var action = sigaction()
            let handler: @convention(c) (Int32) -> Void = { number in
                Terminal.interrupted.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
            #if canImport(Darwin)
                action.__sigaction_u.__sa_handler = handler
            #else
                action.__sigaction_handler.sa_handler = handler
            #endif
            sigaction(number, &action, nil)
        }
        // Some parents start their children with signals blocked.
        sigprocmask(SIG_UNBLOCK, &wanted, nil)
        return { Terminal.interrupted.load(ordering: .relaxed) }
    }

    /// Whether somebody may be watching standard output.
    package var showsOutput: Bool { Terminal.isOutputShown }
    private static let isOutputShown = isatty(STDOUT_FILENO) != 0

    /// Writes lines to standard output. On a terminal control characters of data are escaped; a
    /// file or program gets them as they are.
    package func print(_ lines: String) throws(WinnowError) {
        let shown =
            showsOutput
            ? lines.split(separator: "\n", omittingEmptySubsequences: false).map(Terminal.escaped)
            : [lines]
        try Terminal.write(shown.joined(separator: "\n") + "\n", to: STDOUT_FILENO)
    }

    package func answer(_ json: String) throws(WinnowError) { try print(json) }

    /// Writes lines, as bytes, to standard output: to a file or program as they are, on a terminal
    /// with control characters of data escaped.
    package func write(_ bytes: ArraySlice<UInt8>, _ content: ExportedContent) throws(WinnowError) {
        guard !showsOutput else {
            let lines = String(decoding: bytes, as: UTF8.self)
            return try print(lines.hasSuffix("\n") ? String(lines.dropLast()) : lines)
        }
        let failed = bytes.withUnsafeBufferPointer { Terminal.writeAll($0, to: STDOUT_FILENO) }
        if failed != 0 { throw .io(operation: "write to", path: "standard output", code: failed) }
    }

    private static func write(_ text: String, to descriptor: Int32) throws(WinnowError) {
        var text = text
        let failed = text.withUTF8 { writeAll($0, to: descriptor) }
        if failed != 0 { throw .io(operation: "write to", path: "standard output", code: failed) }
    }

    /// The errno of a call that failed; 0 when all is written.
    private static func writeAll(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Int32
    {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = UnsafeBufferPointer(rebasing: rest)
            let written = systemWrite(descriptor, chunk.baseAddress, chunk.count)
            if written < 0 && errno == EINTR { continue }
            if written < 0 { return errno }
            rest = rest.dropFirst(written)
        }
        return 0
    }

    package static func fail(_ error: WinnowError, json: Bool) -> Never {
        if json {
            endStatus()
            try? write(error.json + "\n", to: STDERR_FILENO)
        } else {
            self.error("winnow: \(error)" + (error.code.flag.map { " (\($0))" } ?? ""))
            for line in error.place?.excerpt.split(separator: "\n") ?? [] {
                self.error(String(line))
            }
        }
        exit(error.exitCode)
    }

    private static func escaped(_ text: some StringProtocol) -> String {
        Figures.line(String(text))
    }
}

/// `write` by a name that does not clash with ours.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

extension ErrorCode {
    /// The option of the command line that has to do with such an error.
    fileprivate var flag: String? {
        switch self {
        case .unknownProfile: "--unknown-profiles create or skip"
        case .unknownColumn, .unknownKey: "--ignore-columns passes over it"
        case .similarColumn: "--rename OLD=NEW, or --ignore-similar-columns passes over it"
        case .otherDelimiter: "--delimiter"
        case .outcomeUnknown, .batchConflict: "--batch"
        default: nil
        }
    }
}
