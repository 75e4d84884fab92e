#if Server
    import HTTPTypes
    import HummingbirdCore
    import NIOCore
    import Winnow

    /// What the data of a load is, as its head says.
    struct DataFormat {
        /// nil: the query says it.
        let format: InputFormat?
        let compression: Compression?

        init(_ fields: HTTPFields) throws(Refusal) {
            let type = fields.mediaType
            var compression: Compression?
            switch type {
            case "text/csv": format = .csv
            case "application/x-ndjson", "application/ndjson", "application/jsonl": format = .ndjson
            case "application/json": format = .json
            case "application/gzip", "application/x-gzip":
                format = nil
                compression = .gzip
            case "application/zstd":
                format = nil
                compression = .zstd
            default:
                throw .mediaType(
                    type,
                    "text/csv, application/x-ndjson or application/json (feeds), or "
                        + "application/gzip or application/zstd with format=csv or ndjson in the query"
                )
            }
            switch (fields[.contentEncoding] ?? "identity").lowercased() {
            case "identity": break
            case "gzip" where compression == nil, "x-gzip" where compression == nil:
                compression = .gzip
            case "zstd" where compression == nil: compression = .zstd
            case let coding: throw .mediaType(coding, "one Content-Encoding, gzip or zstd")
            }
            self.compression = compression
        }
    }

    extension HTTPFields {
        /// What the body is, without parameters, in lower case.
        fileprivate var mediaType: String {
            let type = (self[.contentType] ?? "").prefix { $0 != ";" }
            return type.filter { $0 != " " }.lowercased()
        }

        /// Lets only JSON pass.
        func checkJSON() throws(Refusal) {
            guard mediaType == "application/json" else {
                throw .mediaType(mediaType, "application/json")
            }
            let coding = self[.contentEncoding] ?? "identity"
            guard coding == "identity" else {
                throw .mediaType(coding, "JSON without a Content-Encoding")
            }
        }

        /// How many bytes the body has; nil when it does not say.
        var bodyLength: Int? { self[.contentLength].flatMap { Int($0) } }

        /// Whether the client waits to be asked for its body.
        var expectsContinue: Bool { self[.expect]?.lowercased() == "100-continue" }

        /// Whether values are wanted as one array rather than lines.
        var wantsArray: Bool {
            guard let accept = self[.accept] else { return false }
            let types = accept.split(separator: ",").map {
                $0.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
            }
            return types.contains("application/json")
                && !types.contains { $0.hasSuffix("ndjson") || $0 == "*/*" }
        }
    }

    extension Refusal {
        fileprivate static func mediaType(_ given: String, _ wanted: String) -> Refusal {
            Refusal(
                .unsupportedMediaType, "unsupported_media_type",
                (given.isEmpty ? "the body has no Content-Type" : "“\(given)” is not taken here")
                    + "; send \(wanted)")
        }

        static func tooLarge(_ limit: Int) -> Refusal {
            Refusal(
                .contentTooLarge, "too_large",
                "the body is over \(limit) bytes; the server's --max-body says how many it may have"
            )
        }

        static let lateBody = Refusal(
            .requestTimeout, "timeout", "the body did not come in time; nothing was done")

        static let incomplete = Refusal(
            .badRequest, "incomplete_body", "the body ended early; nothing was done")
    }

    /// The body of a request. All that reads it runs on the connection's event loop.
    final class BodyReader: @unchecked Sendable {
        private var iterator: RequestBody.AsyncIterator
        private let length: Int?
        private let exchange: Exchange
        private var count = 0
        /// Whether all of it was read.
        private(set) var isFinished: Bool
        /// Whether nothing more can be read.
        private var isBroken = false
        private var passing: Task<Void, any Error>?

        init(_ request: Request, _ exchange: Exchange) {
            iterator = request.body.makeAsyncIterator()
            length = request.headers.bodyLength
            let hasNone = length == nil && [.get, .head, .delete].contains(request.method)
            isFinished = length == 0 || hasNone
            self.exchange = exchange
        }

        /// The next bytes; nil at the end.
        /// - Throws: `Refusal` when it ends early.
        func next() async throws(Refusal) -> ByteBuffer? {
            if isFinished { return nil }
            let buffer: ByteBuffer?
            do { buffer = try await iterator.next() } catch {
                isBroken = true
                throw .incomplete
            }
            if let buffer {
                count += buffer.readableBytes
                return buffer
            }
            // A connection that is lost can look like the end.
            guard exchange.ended == nil, count == length ?? count else {
                isBroken = true
                throw .incomplete
            }
            isFinished = true
            return nil
        }

        /// All of it.
        func collect(upTo limit: Int) async throws(Refusal) -> [UInt8] {
            if length ?? 0 > limit { throw .tooLarge(limit) }
            var bytes: [UInt8] = []
            while let buffer = try await next() {
                guard bytes.count + buffer.readableBytes <= limit else { throw .tooLarge(limit) }
                bytes += buffer.readableBytesView
            }
            return bytes
        }

        /// Hands it over piece by piece, as fast as it is taken, and nil when it was whole. A body that is
        /// not ends without.
        func startPassing(to pieces: Handoff<[UInt8]?>, on executor: any TaskExecutor) {
            passing = Task(executorPreference: executor) { [self] in
                defer { pieces.end() }
                var isWanted = true
                exchange.progress()
                while isWanted {
                    guard let buffer = try await next() else {
                        exchange.stopClock()
                        _ = await pieces.put(nil)
                        return
                    }
                    exchange.stopClock()
                    isWanted = await pieces.put(Array(buffer.readableBytesView))
                    exchange.progress()
                }
            }
        }

        /// Waits until nothing is passed on any more: only one may read a connection.
        func endPassing() async { _ = try? await passing?.value }

        /// Reads what is left for a moment, so that the answer is seen by clients that look for one only
        /// when they have sent everything.
        func drain() async {
            exchange.progress(within: .seconds(2))
            await endPassing()
            while !isFinished, !isBroken, exchange.ended == nil { _ = try? await next() }
        }
    }
#endif
