internal import Glibc
package import NIOCore

/// Closes a connection whose client takes nothing of an answer for a while.
///
/// Without it a client that stops reading, or whose network is gone, would hold its answer, and the query behind it,
/// until TCP gives up, which takes a quarter of an hour. A client that reads slowly is left alone as long as it reads;
/// to see that it does, the system is told not to take megabytes ahead, which also bounds what it keeps for a slow
/// client.
package final class SlowReaderGuard: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    private let patience: TimeAmount
    /// What the system takes ahead of the client.
    private static let unsentBytes = 128 << 10

    /// Bytes that were written and that the system has not taken.
    private let waitingBytes: (ChannelHandlerContext) -> Int
    private let prepare: (ChannelHandlerContext) -> Void
    private var look: Scheduled<Void>?
    private var waiting = 0

    package convenience init(patience: TimeAmount = .seconds(30)) {
        self.init(
            patience: patience,
            waitingBytes: { (try? $0.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 },
            prepare: { context in
                let option = NIOBSDSocket.Option(rawValue: CInt(TCP_NOTSENT_LOWAT))
                try? context.channel.syncOptions?.setOption(.tcpOption(option), value: Self.unsentBytes)
            }
        )
    }

    init(
        patience: TimeAmount,
        waitingBytes: @escaping (ChannelHandlerContext) -> Int,
        prepare: @escaping (ChannelHandlerContext) -> Void = { _ in }
    ) {
        self.patience = patience
        self.waitingBytes = waitingBytes
        self.prepare = prepare
    }

    package func handlerAdded(context: ChannelHandlerContext) { self.prepare(context) }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            self.look?.cancel()
            self.look = nil
        } else if self.look == nil {
            self.waiting = self.waitingBytes(context)
            self.schedule(context)
        }
        context.fireChannelWritabilityChanged()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.look?.cancel()
        self.look = nil
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.look?.cancel()
        self.look = nil
    }

    private func schedule(_ context: ChannelHandlerContext) {
        self.look = context.eventLoop.assumeIsolatedUnsafeUnchecked()
            .scheduleTask(in: self.patience) {
                let waiting = self.waitingBytes(context)
                if waiting >= self.waiting {
                    context.close(promise: nil)
                } else {
                    self.waiting = waiting
                    self.schedule(context)
                }
            }
    }
}
