import Exporters
import Synchronization

/// A connection of a Sparkplug node that remembers what was published.
final class FakeNode: SparkplugPublishing {
    private let state = Mutex((messages: [ExportMessage](), fails: false))

    var fails: Bool {
        get { self.state.withLock { $0.fails } }
        set { self.state.withLock { $0.fails = newValue } }
    }

    /// The types of the messages, from their topics.
    var types: [String] { self.state.withLock { $0.messages.map { String($0.topic.split(separator: "/")[2]) } } }

    var problem: String? { nil }

    func run(
        will: @escaping @Sendable (UInt8) -> ExportMessage,
        events: @escaping @Sendable (SparkplugEvent) -> Void
    ) async {}

    func publish(_ messages: [ExportMessage], birthSequence: UInt8) async throws {
        if self.fails { throw SinkError(.retryable, "gone") }
        self.state.withLock { $0.messages += messages }
    }
}
