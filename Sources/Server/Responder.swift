#if Server
    import HTTPTypes
    import HummingbirdCore
    import Logging
    import NIOCore
    import Winnow
    import WinnowCommands
    import WinnowJSON
    import WinnowThreads

    /// What a server may do, and how much.
    struct ServerLimits: Sendable {
        var isReadOnly = false
        /// Requests that the engine works on at once.
        var concurrent = 32
        /// Bytes of a body, that of a load aside.
        var body = 1 << 20
        /// How long a request may take, and how long a client may keep the server waiting.
        var time = Duration.seconds(30)
    }

    extension Turn: GivingWay {}

    /// Answers requests.
    final class Responder: Sendable {
        private let store: Store
        private let newest: NewestSnapshot
        private let access: Access
        private let limits: ServerLimits
        private let endpoints: [Endpoint]
        /// Those of each path without a part in braces.
        private let byPath: [String: [Endpoint]]
        private let document: String
        private let admission: Admission
        private let exchanges = Exchanges()
        private let metrics = Metrics()
        private let threads: TaskThreads
        private let turns = Turns()
        private let log: Logger

        init(
            _ store: Store, _ access: Access, _ limits: ServerLimits, _ log: Logger
        ) throws(WinnowError) {
            self.store = store
            newest = NewestSnapshot(of: store)
            self.access = access
            self.limits = limits
            self.log = log
            let endpoints = try Endpoint.all()
            self.endpoints = endpoints
            byPath = Dictionary(grouping: endpoints.filter { !$0.hasName }, by: \.template)
            document = OpenAPI(endpoints).json
            admission = Admission(most: limits.concurrent)
            // One more, so that figures are there when all turns are taken.
            threads = TaskThreads(most: limits.concurrent + 1)
        }

        /// Ends what has taken too long, and lets go of old versions; called now and then.
        func tick() {
            let newest = newest
            inBackground { newest.letGoOfOld() }
            exchanges.endLate()
            admission.refuseImpatient()
        }

        /// Answers one request.
        /// - Throws: when the connection is lost, or must not be used any more.
        func respond(
            _ request: Request, _ writer: consuming ResponseWriter, _ channel: any NIOCore.Channel
        ) async throws {
            let start = ContinuousClock.now
            let exchange = exchanges.begin(limit: limits.time)
            Connection.current?.serve(exchange)
            defer {
                Connection.current?.serve(nil)
                exchanges.end(exchange)
            }
            let body = BodyReader(request, exchange)
            // Whoever waits for more of the body waits no longer.
            exchange.onEnd { channel.close(mode: .input, promise: nil) }
            var endpoint: Endpoint?
            var reply: Reply
            do throws(Refusal) {
                let way = try way(of: request.head)
                endpoint = way.endpoint
                if !body.isFinished, request.headers.expectsContinue, !isTooLong(request, way) {
                    try? await writer.writeInformationalHead(HTTPResponse(status: .continue))
                }
                reply = try await self.reply(to: request, body, way, exchange)
            } catch {
                reply = Reply(error)
            }
            metrics.record(endpoint, status: reply.status.code, .now - start)
            if reply.status.code >= 500 {
                log.error("\(endpoint?.template ?? "") \(reply.status.code) \(reply.code ?? "")")
            }
            let isLast = !body.isFinished || exchange.ended != nil
            if isLast { reply.endConnection() }
            if exchange.ended == nil {
                exchange.progress()
                // A client that does not read its answer is not waited for.
                exchange.onEnd { channel.close(promise: nil) }
            }
            do {
                try await reply.write(to: writer, isHead: request.method == .head, exchange)
            } catch {
                reply.abandon()
                exchange.end(.clientIsGone)
                await body.endPassing()
                throw error
            }
            guard isLast else { return await body.endPassing() }
            await body.drain()
            try? await channel.close()
        }

        /// Whether a body says that it is longer than it may be.
        private func isTooLong(_ request: Request, _ way: Way) -> Bool {
            guard case .command(let work) = way.endpoint.work, work.source == .body else {
                return false
            }
            return request.headers.bodyLength ?? 0 > limits.body
        }

        /// Where a request leads.
        private struct Way {
            let endpoint: Endpoint
            /// What the part in braces of the path is.
            let name: String
            let query: Substring
        }

        private func way(of head: HTTPRequest) throws(Refusal) -> Way {
            try access.checkHost(head)
            let target = (head.path ?? "").split(
                separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let path = target.first ?? ""
            let found = endpoints(at: path)
            let isOpen = found.first?.endpoint.isOpen ?? false
            try access.checkOrigin(head, isOpen: isOpen)
            if !isOpen { try access.checkToken(head) }
            guard !found.isEmpty else {
                throw Refusal(
                    .notFound, "not_found", "there is nothing at this path; see /openapi.json")
            }
            let method = head.method == .head ? .get : head.method
            guard let match = found.first(where: { $0.endpoint.method == method }) else {
                let methods = found.map(\.endpoint.method.rawValue).joined(separator: ", ")
                throw Refusal(
                    .methodNotAllowed, "method_not_allowed",
                    "\(methods) is answered here, not \(method.rawValue)", [.allow: methods])
            }
            if limits.isReadOnly, case .command(let work) = match.endpoint.work, work.writes {
                throw Refusal(.forbidden, "read_only", "the server only reads (--read-only)")
            }
            return Way(
                endpoint: match.endpoint, name: match.name,
                query: target.count > 1 ? target[1] : "")
        }

        /// What is at a path, with what its part in braces is there; nothing at one that is badly escaped.
        private func endpoints(at path: Substring) -> [(endpoint: Endpoint, name: String)] {
            if let found = byPath[String(path)] { return found.map { ($0, "") } }
            guard path.hasPrefix("/"),
                let parts = try? Endpoint.parts(of: path).map({ try Query.decoded($0) })
            else { return [] }
            return endpoints.compactMap { endpoint in
                endpoint.match(parts).map { (endpoint, $0) }
            }
        }

        private func reply(
            to request: Request, _ body: BodyReader, _ way: Way, _ exchange: Exchange
        ) async throws(Refusal) -> Reply {
            switch way.endpoint.work {
            case .file(let file): return Reply(file.bytes, file.mediaType)
            case .health: return Reply("{\"status\": \"ok\"}\n", "application/json")
            case .openAPI: return Reply(document, "application/json")
            case .metrics:
                return Reply(try await figures(), "text/plain; version=0.0.4; charset=utf-8")
            case .command(let work):
                return try await reply(to: request, body, way, work, exchange)
            }
        }

        // MARK: Commands

        private func reply(
            to request: Request, _ body: BodyReader, _ way: Way, _ work: CommandWork,
            _ exchange: Exchange
        ) async throws(Refusal) -> Reply {
            var question = Question(work: work, wantsArray: request.headers.wantsArray)
            var data: Handoff<[UInt8]?>?
            switch work.source {
            case .query:
                question.members = try Query(way.query, work.table.remoteParameters).members
            case .body:
                try Query.refuse(way.query)
                try request.headers.checkJSON()
                question.body = try await collected(body, exchange)
            case .data:
                question.members = try Query(way.query, work.table.remoteParameters).members
                let format = try DataFormat(request.headers)
                if let name = format.format?.rawValue {
                    question.members.append(("format", .string(name)))
                }
                let pieces = Handoff<[UInt8]?>()
                question.input = .text(format.compression) { () throws(WinnowError) in
                    guard let piece = pieces.takeBlocking() else { throw .cancelled }
                    return piece
                }
                data = pieces
            }
            if let place = work.place { question.members.append((place, .string(way.name))) }

            try await admission.enter()
            let (turn, others) = turns.begin()
            // Where others are at work, too, each has a core at most.
            question.isAlone = others == 0
            let answers = Answers(from: store, newest, work.answer, input: question.input, turn)
            // A load waits for its input, not for what is asked meanwhile.
            if data != nil { turn.end() }
            let task = Task(executorPreference: threads) { [question, admission, data] in
                let result = Cancellation.$others.withValue(turn) {
                    Result { () throws(WinnowError) in try question.answer(to: answers) }
                }
                turn.end()
                admission.leave()
                data?.end()
                answers.end(result)
            }
            exchange.onEnd { [data] in
                task.cancel()
                turn.end()
                data?.end()
                // What writes says itself whether it was too late to be cancelled.
                if !work.writes { answers.outcomes.end() }
            }
            guard let data, let connection = Connection.current else {
                return try await reply(answers, work, exchange)
            }
            body.startPassing(to: data, on: connection.executor)
            do throws(Refusal) { return try await reply(answers, work, exchange) } catch {
                throw exchange.ended == .isLate && !body.isFinished ? .lateBody : error
            }
        }

        /// What comes of a command: its answer, or the beginning of a long one.
        private func reply(
            _ answers: Answers, _ work: CommandWork, _ exchange: Exchange
        ) async throws(Refusal) -> Reply {
            switch await answers.outcomes.take() {
            case .piece(let bytes): return Reply(bytes, of: answers, isWhole: false)
            case .done(.success) where work.answer == .nothing: return .done
            case .done(.success(let bytes)): return Reply(bytes, of: answers, isWhole: true)
            case .done(.failure(let error)) where error.code != .cancelled: throw Refusal(error)
            case .done, nil:
                guard exchange.ended == .isLate else { throw Refusal(.cancelled) }
                throw Refusal(
                    .serviceUnavailable, "timeout",
                    "this takes longer than the server's --timeout; ask for less")
            }
        }

        private func collected(
            _ body: BodyReader, _ exchange: Exchange
        ) async throws(Refusal) -> [UInt8] {
            do throws(Refusal) { return try await body.collect(upTo: limits.body) } catch {
                guard exchange.ended == .isLate else { throw error }
                throw .lateBody
            }
        }

        private func figures() async throws(Refusal) -> String {
            let (running, waiting, refused) = admission.figures
            let newest = newest
            let info: StoreInfo
            do {
                info = try await Task(executorPreference: threads) {
                    try newest.snapshot().info()
                }.value
            } catch { throw Refusal(error as? WinnowError ?? .cancelled) }
            return metrics.text([
                (
                    "winnow_requests_open", "Requests that are being read or answered.",
                    exchanges.count
                ),
                ("winnow_evaluations_running", "Requests that the engine works on.", running),
                ("winnow_evaluations_waiting", "Requests that wait for the engine.", waiting),
                ("winnow_evaluations_refused_total", "Requests that waited in vain.", refused),
                (
                    "winnow_store_version", "The newest version of the store.",
                    Int(clamping: info.version)
                ),
                ("winnow_store_profiles", "Profiles in it.", Int(clamping: info.profiles)),
                ("winnow_store_events", "Events in it.", Int(clamping: info.events)),
            ])
        }
    }
#endif
