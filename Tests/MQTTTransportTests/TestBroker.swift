import Foundation
import Logging
import MQTTTransport
import Synchronization

/// A real mosquitto for one test.
final class TestBroker {
    let folder: String
    let broker: EmbeddedBroker
    private var task: Task<Void, any Error>?

    init(port: UInt16 = 0, folder: String? = nil, _ change: (inout EmbeddedBroker.Configuration) -> Void = { _ in })
        throws
    {
        let path =
            folder
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("campus-mqtt-\(UUID().uuidString)").path
        self.folder = path
        var configuration = EmbeddedBroker.Configuration(
            directory: path,
            host: "127.0.0.1",
            port: port,
            accounts: [.init(username: "tester", password: "right", topics: ["#"])]
        )
        change(&configuration)
        self.broker = try EmbeddedBroker(configuration: configuration, logger: quietLogger)
    }

    func start() {
        let broker = self.broker
        self.task = Task { try await broker.run() }
    }

    func stop() async {
        self.task?.cancel()
        _ = await self.task?.result
        self.task = nil
    }

    var configuration: MQTTConfiguration {
        var configuration = MQTTConfiguration(
            host: "127.0.0.1",
            port: self.broker.port,
            clientID: "t-\(UInt32.random(in: 0...UInt32.max))"
        )
        configuration.username = "tester"
        configuration.password = "right"
        configuration.backoffInitialMilliseconds = 50
        configuration.backoffMaxMilliseconds = 400
        return configuration
    }

    deinit {
        self.task?.cancel()
        try? FileManager.default.removeItem(atPath: self.folder)
    }
}

let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

struct RefusedBatch: Error {}

/// Keeps what arrives and lets a test wait for a fact.
final class Inbox: MQTTBatchReceiver {
    private let state = Mutex(State())

    private struct State {
        var messages: [MQTTMessage] = []
        var states: [MQTTConnectionState] = []
        var refusals = 0
    }

    init(refusing refusals: Int = 0) { self.state.withLock { $0.refusals = refusals } }

    func receive(_ batch: [MQTTMessage]) throws {
        try self.state.withLock { state in
            if state.refusals > 0 {
                state.refusals -= 1
                throw RefusedBatch()
            }
            state.messages.append(contentsOf: batch)
        }
    }

    func connectionChanged(_ state: MQTTConnectionState) { self.state.withLock { $0.states.append(state) } }

    var messages: [MQTTMessage] { self.state.withLock { $0.messages } }
    var states: [MQTTConnectionState] { self.state.withLock { $0.states } }
}

struct TimedOut: Error, CustomStringConvertible { var description: String }

/// Returns when `fact` holds; throws after `seconds`.
func eventually(_ what: String, seconds: Double = 30, _ fact: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !fact() {
        guard ContinuousClock.now < deadline else { throw TimedOut(description: "timed out waiting until \(what)") }
        await Task.yield()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(5)) { continuation.resume() }
        }
    }
}

/// Runs a connection while `body` does.
func withConnection(
    _ configuration: MQTTConfiguration,
    _ inbox: Inbox,
    _ body: (MQTTConnection) async throws -> Void
) async throws {
    let connection = MQTTConnection(configuration: configuration, receiver: inbox, logger: quietLogger)
    let task = Task { try await connection.run() }
    do {
        try await body(connection)
    } catch {
        task.cancel()
        _ = await task.result
        throw error
    }
    task.cancel()
    _ = await task.result
}
