internal import Exporters
internal import Foundation
internal import Logging
internal import MQTTTransport
internal import SiteConfiguration
internal import Synchronization

/// Publishes exported messages over a connection of its own.
///
/// A message waits here through outages: the connection comes back by itself and keeps the order, so a publication that
/// fails is one that nobody can answer for.
final class MQTTPublisher: MessagePublishing {
    private let connection: MQTTConnection
    private let place: String
    private let states = ConnectionStates()

    /// - Throws: ``GatewayError`` when a file that the target names cannot be read.
    init(_ target: ExporterDefinition.BrokerTarget, clientID: String, timeoutMilliseconds: Int64, logger: Logger)
        throws(GatewayError)
    {
        self.place = "\(target.host):\(target.port)"
        self.connection = MQTTConnection(
            configuration: try MQTTConfiguration(target, clientID: clientID, timeoutMilliseconds: timeoutMilliseconds),
            receiver: self.states,
            logger: logger
        )
    }

    func run() async { try? await self.connection.run() }

    var problem: String? {
        switch self.states.state {
        case .connected: nil
        case .connecting: "\(self.place): not connected yet"
        case .disconnected(let reason): reason
        }
    }

    func publish(topic: String, payload: [UInt8]) async throws -> Int {
        do {
            return try await self.connection.publishAndWait(topic: topic, payload: payload)
        } catch let error as MQTTError {
            switch error.code {
            case .queueFull: throw SinkError(.retryable, "\(self.place): \(error)")
            case .invalidTopic, .payloadTooLarge: throw SinkError(.poison, "\(self.place): \(error)")
            case .closed, .broker, .notConnected, .unanswered:
                throw SinkError(.retryable, "\(self.place): \(error)", mayHaveArrived: true)
            }
        }
    }

    /// Knows whether there is a connection.
    private final class ConnectionStates: MQTTBatchReceiver {
        private let current = Mutex(MQTTConnectionState.connecting)

        var state: MQTTConnectionState { self.current.withLock { $0 } }

        func receive(_ batch: [MQTTMessage]) {}
        func connectionChanged(_ state: MQTTConnectionState) { self.current.withLock { $0 = state } }
    }
}

extension MQTTConfiguration {
    /// The connection to somebody else's broker.
    init(
        _ target: ExporterDefinition.BrokerTarget,
        clientID: String,
        timeoutMilliseconds: Int64
    ) throws(GatewayError) {
        self.init(host: target.host, port: target.port, clientID: target.clientID ?? clientID)
        self.version = target.version == .v5 ? .v5 : .v3
        self.username = target.username
        if let file = target.passwordFile { self.password = try HTTPLineWriter.secret(file, "passwordFile") }
        if let authority = target.authorityFile {
            self.tls = .init(
                authorityFile: authority,
                certificateFile: target.certificate?.certificate,
                keyFile: target.certificate?.key
            )
        }
        // A silent broker is found after two of these; 5 s is the least that libmosquitto takes.
        self.keepAliveSeconds = 5
        self.connectDeadlineMilliseconds = Int(clamping: timeoutMilliseconds)
    }
}
