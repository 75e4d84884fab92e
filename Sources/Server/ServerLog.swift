#if Server
    import Logging
    import Winnow
    import WinnowCommands

    /// Tells on standard error what goes wrong with the server itself. Messages never have anything of
    /// what was asked.
    struct ServerLog: LogHandler {
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.warning

        static let logger = Logger(label: "winnow-server") { _ in ServerLog() }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            Terminal.error("\(Instant.now) winnow-server: \(event.level): \(event.message)")
        }
    }
#endif
