#if Server
    import HTTPTypes
    import HummingbirdCore
    import Logging
    import NIOCore
    import NIOHTTPTypes
    import Synchronization

    /// What is known of a connection beside its bytes: whether the client is still there. A client that
    /// closes its side while it waits for an answer is taken to be gone.
    final class Connection: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        @TaskLocal static var current: Connection?

        private struct State {
            var isClosed = false
            var exchange: Exchange?
        }
        private let state = Mutex(State())
        let executor: LoopExecutor

        init(_ loop: any EventLoop) { executor = LoopExecutor(loop) }

        var isClosed: Bool { state.withLock(\.isClosed) }

        /// The exchange that ends with the connection; nil for none.
        func serve(_ exchange: Exchange?) {
            let isClosed = state.withLock { state in
                state.exchange = exchange
                return state.isClosed
            }
            if isClosed { exchange?.end(.clientIsGone) }
        }

        private func close() {
            let exchange = state.withLock { state in
                state.isClosed = true
                return state.exchange
            }
            exchange?.end(.clientIsGone)
        }

        func channelInactive(context: ChannelHandlerContext) {
            close()
            context.fireChannelInactive()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .inputClosed? = event as? ChannelEvent { close() }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            close()
            context.fireErrorCaught(error)
        }
    }

    /// Runs tasks on an event loop: what a connection does between its reads and writes needs no other
    /// thread.
    final class LoopExecutor: TaskExecutor {
        private let loop: any EventLoop

        init(_ loop: any EventLoop) { self.loop = loop }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let executor = asUnownedTaskExecutor()
            loop.execute { job.runSynchronously(on: executor) }
        }
    }

    /// HTTP/1.1 whose connections are watched.
    struct WatchedChannel: ServerChildChannel {
        struct Value: ServerChildChannelValue {
            let http: HTTP1Channel.Value
            let connection: Connection
            var channel: any Channel { http.channel }
        }

        let http: HTTP1Channel

        func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
            let connection = Connection(channel.eventLoop)
            do { try channel.pipeline.syncOperations.addHandler(connection) } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
            return http.setup(channel: channel, logger: logger).map {
                Value(http: $0, connection: connection)
            }
        }

        func handle(value: Value, logger: Logger) async {
            await withTaskExecutorPreference(value.connection.executor) {
                await Connection.$current.withValue(value.connection) {
                    await http.handle(value: value.http, logger: logger)
                }
            }
        }
    }
#endif
