#if Server
    import HTTPTypes
    import HummingbirdCore
    import NIOCore
    import Winnow
    import WinnowCommands
    import WinnowJSON

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

    /// The members of a query: `a=1&b=x` is `{"a": "1", "b": "x"}`.
    struct Query {
        /// Lets no query pass where all is in the body.
        static func refuse(_ text: Substring) throws(Refusal) {
            if !text.isEmpty { throw .usage("everything is said in the body, not in the query") }
        }

        let members: [(key: String, value: JSONValue)]

        /// - Parameter parameters: what can be there; a flag that stands alone is true.
        init(_ text: some StringProtocol, _ parameters: [Parameter]) throws(Refusal) {
            var members: [(key: String, value: JSONValue)] = []
            for pair in text.split(separator: "&") {
                let halves = pair.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let key = try Query.decoded(halves[0], isForm: true)
                let text = try Query.decoded(halves.count > 1 ? halves[1] : "true", isForm: true)
                let parameter = parameters.first { $0.key == key }
                let value = try Query.value(key, text, parameter)
                guard let place = members.firstIndex(where: { $0.key == key }) else {
                    members.append((key, value))
                    continue
                }
                guard parameter?.isRepeating ?? false else {
                    throw .usage("“\(key)” is repeated")
                }
                if case .array(let values) = members[place].value {
                    members[place].value = .array(values + [value])
                } else {
                    members[place].value = .array([members[place].value, value])
                }
            }
            self.members = members
        }

        private static func value(
            _ key: String, _ text: String, _ parameter: Parameter?
        ) throws(Refusal) -> JSONValue {
            if parameter?.kind == .flag {
                switch text {
                case "true": return .boolean(true)
                case "false": return .boolean(false)
                default: throw .usage("“\(key)” is true or false, not “\(text)”")
                }
            }
            if parameter?.isNumber ?? false, let number = Int(text) { return .number("\(number)") }
            guard parameter?.inlineForm == .mapping, text.hasPrefix("{") else {
                return .string(text)
            }
            do throws(JSONError) { return try JSONValue(parsing: text) } catch {
                throw .usage("“\(key)” is not JSON at byte \(error.offset): \(error.message)")
            }
        }

        /// A part of an address without its percent signs.
        /// - Parameter isForm: whether a plus sign is a blank.
        static func decoded(
            _ text: some StringProtocol, isForm: Bool = false
        ) throws(Refusal) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "%") else {
                    bytes.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
                    continue
                }
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                    let value = UInt8(digits, radix: 16)
                else { throw .usage("the address has a % that two hex digits do not follow") }
                bytes.append(value)
                rest = rest.dropFirst(2)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .usage("the address is not UTF-8")
            }
            return text
        }
    }
#endif
