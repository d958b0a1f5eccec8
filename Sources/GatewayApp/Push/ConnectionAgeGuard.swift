internal import NIOCore

/// Closes a connection after a while, whatever it does.
///
/// Devices push in moments and connect anew. Without a limit of age, a client that sends a byte now and then would hold
/// one of few places for as long as it likes.
final class ConnectionAgeGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let age: TimeAmount
    private var end: Scheduled<Void>?

    init(age: TimeAmount) { self.age = age }

    func handlerAdded(context: ChannelHandlerContext) {
        self.end = context.eventLoop.assumeIsolatedUnsafeUnchecked()
            .scheduleTask(in: self.age) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end?.cancel()
        self.end = nil
    }
}
