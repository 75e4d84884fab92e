#if Server
    import HTTPTypes
    import HummingbirdCore
    import NIOCore
    import Winnow
    import WinnowJSON

    /// What is sent to a client.
    struct Reply: Sendable {
        private(set) var status: HTTPResponse.Status
        private(set) var fields: HTTPFields
        /// The error's code, for the log.
        private(set) var code: String?
        private let body: [UInt8]
        /// What follows the body, piece by piece.
        private var more: Answers?

        init(_ body: [UInt8], _ mediaType: String) {
            status = .ok
            fields = Reply.usual
            fields[.contentType] = mediaType
            self.body = body
        }

        init(_ text: String, _ mediaType: String) { self.init(Array(text.utf8), mediaType) }

        init(_ refusal: Refusal) {
            self.init(refusal.json + "\n", "application/json")
            status = refusal.status
            code = refusal.code
            for field in refusal.fields { fields.append(field) }
        }

        /// - Parameter answers: those whose bytes these are; `isWhole` says whether all of them.
        init(_ bytes: [UInt8], of answers: Answers, isWhole: Bool) {
            self.init(bytes, answers.mediaType)
            if !isWhole { more = answers }
            let notes = Reply.notes(answers.notes)
            if !notes.isEmpty { fields[named: "Winnow-Notes"] = notes }
        }

        /// An answer that says nothing but that it was done.
        static var done: Reply {
            var reply = Reply([], "")
            reply.status = .noContent
            reply.fields[.contentType] = nil
            return reply
        }

        /// Nobody takes what follows.
        func abandon() { more?.outcomes.end() }

        mutating func endConnection() { fields[.connection] = "close" }

        private static let usual: HTTPFields = {
            var fields: HTTPFields = [
                .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .contentSecurityPolicy:
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ]
            fields[named: "Referrer-Policy"] = "no-referrer"
            fields[named: "Cross-Origin-Opener-Policy"] = "same-origin"
            fields[named: "Cross-Origin-Resource-Policy"] = "same-origin"
            return fields
        }()

        /// Remarks as a JSON array in ASCII; those that make it long are left out.
        private static func notes(_ notes: [String]) -> String {
            var text = ""
            for note in notes {
                var escaped = ""
                for unit in jsonString(note).utf16 {
                    if unit < 0x7F, let scalar = Unicode.Scalar(unit) {
                        escaped.unicodeScalars.append(scalar)
                    } else {
                        let digits = String(unit, radix: 16)
                        escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                }
                guard text.utf8.count + escaped.utf8.count < 4000 else { break }
                text += (text.isEmpty ? "" : ", ") + escaped
            }
            return text.isEmpty ? "" : "[\(text)]"
        }

        /// Sends it.
        /// - Throws: when the connection is lost, or what follows fails, so that it must be.
        func write(
            to writer: consuming ResponseWriter, isHead: Bool, _ exchange: Exchange
        ) async throws {
            var fields = fields
            fields[.date] = HTTPDate.now
            if isHead, more != nil {
                // How much there is, nobody has counted.
                abandon()
                return try await writer.writeResponse(
                    HTTPResponse(status: status, headerFields: fields))
            }
            guard let more else {
                if status != .noContent { fields[.contentLength] = "\(body.count)" }
                let head = HTTPResponse(status: status, headerFields: fields)
                if isHead || body.isEmpty { return try await writer.writeResponse(head) }
                return try await writer.write(
                    response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
            }
            var body: any ResponseBodyWriter = try await writer.writeHead(
                HTTPResponse(status: status, headerFields: fields))
            try await body.write(ByteBuffer(bytes: self.body))
            while let outcome = await more.outcomes.take() {
                exchange.progress()
                switch outcome {
                case .piece(let bytes): try await body.write(ByteBuffer(bytes: bytes))
                case .done(let result):
                    let rest = try result.get()
                    if !rest.isEmpty { try await body.write(ByteBuffer(bytes: rest)) }
                    return try await body.finish(nil)
                }
            }
            throw WinnowError.cancelled
        }
    }
#endif
