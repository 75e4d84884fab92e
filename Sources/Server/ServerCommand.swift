#if Server
    import ArgumentParser
    import Winnow
    import WinnowCommands

    /// Serves a store over HTTP.
    @main
    struct ServerCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "winnow-server",
            abstract: "Answers segments of a store over HTTP, and has a page to build them.",
            discussion: """
                    winnow-server demo-store
                    winnow-server demo-store --listen 0.0.0.0:8420 --token-file token --allow-host winnow.example

                Without --token-file a token is made and printed as part of the page's address. Every \
                request but for the page needs it, as Authorization: Bearer TOKEN. /openapi.json \
                describes all requests.
                """,
            version: "\(programVersion)")

        @Argument(help: "The store.") var store: String
        @Option(help: "Where to listen; another machine's requests need --token-file.")
        var listen = "127.0.0.1:8420"
        @Option(help: "A file with the token.") var tokenFile: String?
        @Option(
            parsing: .singleValue,
            help:
                "A name by which clients reach the server, beside those of the loopback; repeatable."
        )
        var allowHost: [String] = []
        @Flag(help: "Nothing is loaded or saved.") var readOnly = false
        @Option(
            help: ArgumentHelp(
                "Requests that are worked on at once; further ones wait a second, then they are refused.",
                valueName: "number"))
        var maxConcurrent = ServerLimits().concurrent
        @Option(help: "The largest body, but for loads.") var maxBody = "1MiB"
        @Option(help: "How long a request may take, as 500ms, 30s or 5m.") var timeout = "30s"

        static func main() async {
            do {
                var command = try parseAsRoot()
                guard let server = command as? ServerCommand else { return try command.run() }
                try await server.serve()
            } catch let error as WinnowError {
                Terminal.fail(error, json: false)
            } catch {
                exit(withError: error)
            }
        }

        private func serve() async throws {
            let address = try ListenAddress(listen)
            guard tokenFile != nil || address.isLoopback else {
                throw WinnowError.usage(
                    "--listen \(listen) is open to other machines; that needs --token-file FILE")
            }
            let token = try tokenFile.map { (path) throws(WinnowError) in
                try Access.token(inFile: path)
            }
            let access = Access(token: token ?? Access.randomToken(), hosts: allowHost)
            let limits = try limits()
            let log = ServerLog.logger
            let responder = try Responder(try Store(store), access, limits, log)
            let note = token == nil ? "#token=\(access.token)" : ""
            let store = store
            try await address.listen(responder, within: limits.time, log) { address in
                try? Terminal().print("Winnow serves \(store) at http://\(address)/\(note)")
            }
        }

        private func limits() throws(WinnowError) -> ServerLimits {
            var limits = ServerLimits()
            limits.isReadOnly = readOnly
            guard (1...1024).contains(maxConcurrent) else {
                throw .usage("--max-concurrent is 1 to 1024, not \(maxConcurrent)")
            }
            limits.concurrent = maxConcurrent
            guard let bytes = ByteCount(maxBody)?.bytes, (1...1 << 30).contains(bytes) else {
                throw .usage(
                    "--max-body takes a number of bytes up to 1GiB, such as 1MiB, not “\(maxBody)”")
            }
            limits.body = bytes
            guard let time = ServerCommand.duration(timeout) else {
                throw .usage(
                    "--timeout takes a time up to a day, such as 500ms, 30s or 5m, not “\(timeout)”"
                )
            }
            limits.time = time
            return limits
        }

        private static func duration(_ text: String) -> Duration? {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let units: [Substring: Int] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
            guard let number = Int(digits), let unit = units[text.dropFirst(digits.count)] else {
                return nil
            }
            let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit)
            guard !overflow, (1...86_400_000).contains(milliseconds) else { return nil }
            return .milliseconds(milliseconds)
        }
    }
#else
    /// What this program is without the trait Server.
    @main
    struct ServerCommand {
        static func main() {
            print(
                "This winnow-server was built without the server. Build it with: "
                    + "swift build -c release --static-swift-stdlib --traits default,Server "
                    + "--product winnow-server")
        }
    }
#endif
