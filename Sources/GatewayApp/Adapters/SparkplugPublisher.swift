internal import Exporters
internal import Logging
internal import MQTTTransport
internal import SiteConfiguration
internal import Synchronization

/// The connection of a Sparkplug node: clean sessions, a last will with a number of its own for each, and nothing that
/// is sent again after a new birth.
final class SparkplugPublisher: SparkplugPublishing {
    private let configuration: MQTTConfiguration
    private let logger: Logger
    private let place: String
    private let state: Mutex<State>

    private struct State: Sendable {
        var connection: MQTTConnection?
        /// The number of the present last will; begins where the clock says, so that a restart does not repeat it.
        var number: UInt8
        var isConnected = false
        var reason: String?
    }

    /// - Throws: ``GatewayError`` when a file that the target names cannot be read.
    init(
        _ target: ExporterDefinition.SparkplugTarget,
        node: String,
        clientID: String,
        timeoutMilliseconds: Int64,
        firstNumber: UInt8,
        logger: Logger
    ) throws(GatewayError) {
        var configuration = try MQTTConfiguration(
            target.broker,
            clientID: clientID,
            timeoutMilliseconds: timeoutMilliseconds
        )
        configuration.sessionExpirySeconds = 0
        configuration.keepsUnacknowledged = false
        configuration.subscriptions = ["spBv1.0/\(target.group)/NCMD/\(node)"]
        self.configuration = configuration
        self.logger = logger
        self.place = "\(target.broker.host):\(target.broker.port)"
        self.state = Mutex(State(number: firstNumber))
    }

    func run(
        will: @escaping @Sendable (UInt8) -> ExportMessage,
        events: @escaping @Sendable (SparkplugEvent) -> Void
    ) async {
        var configuration = self.configuration
        configuration.lastWillOfConnection = { [weak self] in
            let number = self?.state
                .withLock { state in
                    state.number &+= 1
                    return state.number
                }
            let death = will(number ?? 0)
            return MQTTConfiguration.Announcement(topic: death.topic, payload: death.payload, isRetained: false)
        }
        let receiver = Receiver { [weak self] event in self?.take(event, events) }
        let connection = MQTTConnection(configuration: configuration, receiver: receiver, logger: self.logger)
        self.state.withLock { $0.connection = connection }
        // Detached, so that a shutdown does not end it before the goodbye is in its queue.
        let task = Task.detached { try? await connection.run() }
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        let (isConnected, number) = self.state.withLock { ($0.isConnected, $0.number) }
        if isConnected {
            let death = will(number)
            try? connection.publish(topic: death.topic, payload: death.payload)
        }
        task.cancel()
        _ = await task.value
    }

    private func take(_ event: Receiver.Event, _ events: @Sendable (SparkplugEvent) -> Void) {
        switch event {
        case .message(let message): events(.command(message.payload))
        case .state(.connected):
            let number = self.state.withLock { state in
                state.isConnected = true
                return state.number
            }
            events(.connected(birthSequence: number))
        case .state(.connecting): break
        case .state(.disconnected(let reason)):
            self.state.withLock { state in
                state.isConnected = false
                state.reason = reason
            }
            events(.disconnected)
        }
    }

    var problem: String? {
        self.state.withLock { $0.isConnected ? nil : $0.reason ?? "\(self.place): not connected yet" }
    }

    func publish(_ messages: [ExportMessage], birthSequence: UInt8) async throws {
        let acknowledged: [AsyncStream<MQTTError>] = try self.state.withLock { state in
            guard let connection = state.connection, state.isConnected, state.number == birthSequence else {
                throw SinkError(.retryable, "\(self.place): the connection was lost")
            }
            return try messages.map { message in
                let (stream, continuation) = AsyncStream<MQTTError>.makeStream()
                do throws(MQTTError) {
                    try connection.publish(topic: message.topic, payload: message.payload) { result in
                        if case .failure(let error) = result { continuation.yield(error) }
                        continuation.finish()
                    }
                } catch {
                    let kind: SinkError.Kind = error.code == .payloadTooLarge ? .poison : .retryable
                    throw SinkError(kind, "\(self.place): \(error)")
                }
                return stream
            }
        }
        for stream in acknowledged {
            for await error in stream {
                throw SinkError(.retryable, "\(self.place): \(error)", mayHaveArrived: true)
            }
        }
    }

    private final class Receiver: MQTTBatchReceiver {
        enum Event {
            case message(MQTTMessage)
            case state(MQTTConnectionState)
        }

        private let take: @Sendable (Event) -> Void

        init(_ take: @escaping @Sendable (Event) -> Void) { self.take = take }

        func receive(_ batch: [MQTTMessage]) { for message in batch { self.take(.message(message)) } }
        func connectionChanged(_ state: MQTTConnectionState) { self.take(.state(state)) }
    }
}
