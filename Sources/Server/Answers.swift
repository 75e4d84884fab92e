#if Server
    import Synchronization
    import Winnow
    import WinnowCommands
    import WinnowJSON
    import WinnowThreads

    /// What comes of a command, piece by piece.
    enum Outcome: Sendable {
        case piece([UInt8])
        /// The end, with what is left.
        case done(Result<[UInt8], WinnowError>)
    }

    /// The answers of a command on their way to a client: kept while they are few, then handed over piece
    /// by piece, as fast as they are taken.
    final class Answers: Session {
        private struct State {
            var bytes: [UInt8] = []
            var values = 0
            var areLines = false
            var isArray = false
            var content: ExportedContent?
            var notes: [String] = []
            var profiles: [String]?
        }

        /// More than this are handed over.
        private static let pieceSize = 1 << 16

        let store: Store
        private let newest: NewestSnapshot
        private let turn: Turn
        private let answer: CommandWork.Answer
        let input: LoadInput?
        private let state: Mutex<State>
        let outcomes = Handoff<Outcome>()

        init(
            from store: Store, _ newest: NewestSnapshot, _ answer: CommandWork.Answer,
            input: LoadInput?, _ turn: Turn
        ) {
            self.turn = turn
            self.store = store
            self.newest = newest
            self.answer = answer
            self.input = input
            state = Mutex(State())
        }

        /// - Parameters:
        ///   - asArray: whether several values are laid out as an array rather than as lines.
        ///   - areLines: whether there are several although the endpoint usually has one.
        ///   - content: what is exported, should it be nothing.
        func begin(
            _ arguments: CommandArguments? = nil, asArray: Bool, _ areLines: Bool = false,
            _ content: ExportedContent? = nil
        ) {
            state.withLock { state in
                state.content = content
                state.profiles = arguments?.profiles
                state.areLines = areLines || answer == .lines
                state.isArray = asArray && state.areLines
            }
        }

        /// Says that the command is done.
        func end(_ result: Result<Void, WinnowError>) {
            let rest = state.withLock { state in
                if state.isArray {
                    state.bytes += (state.values == 0 ? "[]\n" : "]\n").utf8
                }
                return state.bytes
            }
            _ = outcomes.putBlocking(.done(result.map { rest }))
        }

        var notes: [String] { state.withLock(\.notes) }

        /// What the answers are, once there are some.
        var mediaType: String {
            state.withLock { state in
                switch state.content {
                case .ids?: "text/plain; charset=utf-8"
                case .text?: "text/csv; charset=utf-8"
                case .bytes?: "application/octet-stream"
                case .values?: "application/x-ndjson"
                case nil where state.areLines && !state.isArray: "application/x-ndjson"
                case nil: "application/json"
                }
            }
        }

        func answer(_ json: String) throws(WinnowError) {
            let piece = state.withLock { state in
                if state.isArray { state.bytes += (state.values == 0 ? "[" : ",\n").utf8 }
                state.bytes += json.utf8
                if !state.isArray { state.bytes.append(UInt8(ascii: "\n")) }
                state.values += 1
                return Answers.piece(&state)
            }
            try handOver(piece)
        }

        func write(_ bytes: ArraySlice<UInt8>, _ content: ExportedContent) throws(WinnowError) {
            let piece = state.withLock { state in
                state.content = content
                state.bytes += bytes
                return Answers.piece(&state)
            }
            try handOver(piece)
        }

        private static func piece(_ state: inout State) -> [UInt8]? {
            guard state.bytes.count >= pieceSize else { return nil }
            defer { state.bytes = [] }
            return state.bytes
        }

        private func handOver(_ piece: [UInt8]?) throws(WinnowError) {
            guard let piece else { return }
            // A slow client takes no turn.
            let isTaken = turn.step { outcomes.putBlocking(.piece(piece)) }
            if !isTaken { throw .cancelled }
        }

        var isForPrograms: Bool { true }
        var profiles: [String]? { state.withLock(\.profiles) }
        func store(at path: String) throws(WinnowError) -> Store { store }
        func snapshot(of path: String) throws(WinnowError) -> Snapshot { try snapshot() }
        func snapshot() throws(WinnowError) -> Snapshot { try newest.snapshot() }
        func print(_ text: String) throws(WinnowError) { try answer(jsonString(text)) }
        func note(_ line: String) { state.withLock { $0.notes.append(line) } }
        func status(_ line: String) {}
        var showsProgress: Bool { false }
        var showsOutput: Bool { false }
        /// The task that runs the command is cancelled instead.
        func interruption() -> @Sendable () -> Bool { { false } }
        func giveWay() {}
    }
#endif
