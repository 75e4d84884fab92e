#if Server
    import HTTPTypes
    import Winnow
    import WinnowDisk

    /// Who is let in.
    struct Access: Sendable {
        /// Names of this machine in `Host`, in lower case, beside those of the loopback.
        let hosts: Set<String>
        let token: String
        private let tokenBytes: [UInt8]

        init(token: String, hosts: [String]) {
            self.token = token
            tokenBytes = Array(token.utf8)
            self.hosts = Set(hosts.map { $0.lowercased() })
        }

        /// A token that nobody can guess: 256 bits.
        static func randomToken() -> String {
            var random = SystemRandomNumberGenerator()
            return (0..<32).map { _ in
                let byte = UInt8.random(in: .min ... .max, using: &random)
                return String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
        }

        /// The token in a file: its one line.
        static func token(inFile path: String) throws(WinnowError) -> String {
            let text = String(
                decoding: try InputStream(path: path).readAll(limit: 1 << 16), as: UTF8.self)
            let lines = text.split(whereSeparator: \.isNewline)
            guard lines.count == 1, lines[0].count >= 16,
                lines[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else {
                throw .usage(
                    "\(path) is no file with a token: one line of at least 16 ASCII characters without blanks"
                )
            }
            return String(lines[0])
        }

        /// Lets nobody ask by a foreign name, which a foreign page could have made this machine's
        /// (DNS rebinding).
        func checkHost(_ request: HTTPRequest) throws(Refusal) {
            guard let authority = request.authority, isOurs(authority) else {
                throw Refusal(
                    .forbidden, "forbidden",
                    "the server does not answer to this Host; start it with --allow-host NAME")
            }
        }

        /// Lets no page of another site ask. People may follow its links to what is open.
        func checkOrigin(_ request: HTTPRequest, isOpen: Bool) throws(Refusal) {
            let fields = request.headerFields
            if isOpen, request.method == .get, fields[named: "Sec-Fetch-Mode"] == "navigate",
                fields[.origin] == nil
            {
                return
            }
            let isForeign =
                !["same-origin", "same-site", "none"].contains(
                    fields[named: "Sec-Fetch-Site"] ?? "none")
                || fields[.origin].map { !isSame($0, request.authority) } ?? false
            if isForeign {
                throw Refusal(.forbidden, "forbidden", "pages of other sites cannot ask")
            }
        }

        func checkToken(_ request: HTTPRequest) throws(Refusal) {
            let given = request.headerFields[.authorization] ?? ""
            guard given.prefix(7).lowercased() == "bearer ", isToken(given.dropFirst(7)) else {
                throw Refusal(
                    .unauthorized, "unauthorized",
                    "a token is needed, as Authorization: Bearer TOKEN; the server printed it when it "
                        + "began, or has it from --token-file",
                    [.wwwAuthenticate: "Bearer"])
            }
        }

        /// Takes as long for a token that is nearly right as for any other of its length.
        private func isToken(_ given: Substring) -> Bool {
            let given = Array(given.utf8)
            guard given.count == tokenBytes.count else { return false }
            var difference: UInt8 = 0
            for i in given.indices { difference |= given[i] ^ tokenBytes[i] }
            return difference == 0
        }

        private func isOurs(_ authority: String) -> Bool {
            let host = Access.host(of: authority)
            return Access.isLoopback(host) || hosts.contains(host)
        }

        private func isSame(_ origin: String, _ authority: String?) -> Bool {
            guard let end = origin.firstRange(of: "://")?.upperBound, let authority else {
                return false
            }
            return Access.withoutUsualPort(origin[end...]) == Access.withoutUsualPort(authority)
        }

        private static func withoutUsualPort(_ authority: some StringProtocol) -> String {
            let authority = authority.lowercased()
            for port in [":80", ":443"] where authority.hasSuffix(port) {
                return String(authority.dropLast(port.count))
            }
            return authority
        }

        /// The name without the port, in lower case; empty for what is neither.
        static func host(of authority: some StringProtocol) -> String {
            let end =
                authority.hasPrefix("[")
                ? authority.firstIndex(of: "]").map { authority.index(after: $0) }
                : authority.firstIndex(of: ":") ?? authority.endIndex
            guard let end else { return "" }
            let port = authority[end...]
            guard port.isEmpty || port.first == ":" && isNumber(port.dropFirst()) else { return "" }
            return authority[..<end].lowercased()
        }

        private static func isNumber(_ text: some StringProtocol) -> Bool {
            text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }

        /// Whether a name or an address is always this machine.
        static func isLoopback(_ host: String) -> Bool {
            if ["localhost", "[::1]", "::1"].contains(host) { return true }
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts[0] == "127"
                && parts.allSatisfy { isNumber($0) && UInt8($0) != nil }
        }
    }

    extension HTTPFields {
        /// The value of a field that has no constant of its own; nil, and not set, for what is no name.
        subscript(named name: String) -> String? {
            get { HTTPField.Name(name).flatMap { self[$0] } }
            set { if let name = HTTPField.Name(name) { self[name] = newValue } }
        }
    }
#endif
