#if Server
    import HummingbirdCore
    import Logging
    import NIOCore
    import NIOPosix
    import ServiceLifecycle
    import UnixSignals
    import Winnow
    import WinnowCommands
    import WinnowThreads

    /// `HOST:PORT`, where a server listens.
    struct ListenAddress {
        private let text: String
        private let host: String
        private let port: Int

        init(_ text: String) throws(WinnowError) {
            let host = Access.host(of: text)
            let rest = text.dropFirst(host.count)
            guard !host.isEmpty, rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else {
                throw .usage(
                    "--listen takes an address such as 127.0.0.1:8420 or [::1]:8420, not “\(text)”")
            }
            self.text = text
            self.host = host
            self.port = Int(port)
        }

        /// Whether only this machine's programs reach it.
        var isLoopback: Bool { Access.isLoopback(host) }

        /// Answers requests until the process is asked to end, then those that are under way.
        /// - Parameter isListening: called once, with the address.
        /// - Throws: `io` when it cannot be listened on.
        func listen(
            _ responder: Responder, within time: Duration, _ log: Logger,
            _ isListening: @escaping @Sendable (String) -> Void
        ) async throws {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: availableCores())
            let ticks = group.next().scheduleRepeatedTask(
                initialDelay: .milliseconds(50), delay: .milliseconds(50)
            ) { _ in responder.tick() }
            defer { ticks.cancel() }
            let http = HTTP1Channel(
                responder: { try await responder.respond($0, $1, $2) },
                configuration: .init(idleTimeout: .seconds(60)))
            // Some files are the store's.
            let connections = max(16, Terminal.raiseOpenFiles() * 3 / 4)
            let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            let shown = host
            let server = WatchedChannel(http: http).server(
                configuration: ServerConfiguration(
                    address: .hostname(bare, port: port), backlog: 1024,
                    availableConnectionsDelegate: .maximum(connections, logger: log)),
                onServerRunning: { isListening("\(shown):\($0.localAddress?.port ?? 0)") },
                eventLoopGroup: group, logger: log)
            var services = ServiceGroupConfiguration(
                services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
            services.maximumGracefulShutdownDuration = time + .seconds(5)
            do { try await ServiceGroup(configuration: services).run() } catch let error as IOError
            {
                throw WinnowError.io(operation: "listen on", path: text, code: error.errnoCode)
            }
        }
    }
#endif
