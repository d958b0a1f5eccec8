import Logging
import NIOCore
import NIOEmbedded

/// A channel that leads nowhere, for contexts made by hand.
enum SilentChannel {
    static func make() -> any Channel { NIOAsyncTestingChannel() }

    static var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
