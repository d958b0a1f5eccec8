internal import Foundation
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// A connection to a broker that comes back by itself, on a thread of its own.
///
/// The thread drains the socket, hands the batch to the receiver, and only then lets the acknowledgements go
/// (libmosquitto's own loop sends them before the callback, and its thread ends silently on a broker that accepts and
/// closes; so it is not used).
package final class MQTTConnection: Service, Sendable {
    private let configuration: MQTTConfiguration
    private let receiver: any MQTTBatchReceiver
    private let logger: Logger
    private let shared = Mutex(Shared())
    private let wake = WakeDescriptor()

    struct Shared: Sendable {
        var isStopping = false
        var isInterrupted = false
        var outgoing: [OutgoingMessage] = []
        var subscriptions: [String] = []
        var statistics = MQTTStatistics()
    }

    /// Makes a connection that ``run()`` opens.
    package init(configuration: MQTTConfiguration, receiver: any MQTTBatchReceiver, logger: Logger) {
        self.configuration = configuration
        self.receiver = receiver
        self.logger = logger
        self.shared.withLock { $0.subscriptions = configuration.subscriptions }
    }

    /// Connects and stays connected until cancelled or shut down; then says goodbye to the broker.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let thread = Thread {
                    self.threadMain()
                    continuation.resume()
                }
                thread.name = "mqtt"
                thread.stackSize = 1 << 20
                thread.start()
            }
        } onCancelOrGracefulShutdown: {
            self.shared.withLock { $0.isStopping = true }
            self.wake.signal()
        }
    }

    /// What happened so far.
    package var statistics: MQTTStatistics { self.shared.withLock { $0.statistics } }

    /// Takes another list of topic filters; those that stay are not subscribed again.
    package func update(subscriptions: [String]) {
        self.shared.withLock { $0.subscriptions = subscriptions }
        self.wake.signal()
    }

    /// Ends the present connection without a goodbye; it comes back by itself.
    package func interrupt() {
        self.shared.withLock { $0.isInterrupted = true }
        self.wake.signal()
    }

    /// Queues a message.
    ///
    /// - Parameter completion: Called once on the connection's thread; when the broker has acknowledged it, with the
    ///   number of connections it was sent on: more than one, and the broker may have passed it on as often.
    /// - Throws: ``MQTTError/Code/queueFull`` when too many wait, ``MQTTError/Code/invalidTopic`` and
    ///   ``MQTTError/Code/payloadTooLarge`` for what no broker takes.
    package func publish(
        topic: String,
        payload: [UInt8],
        qos: UInt8 = 1,
        isRetained: Bool = false,
        completion: (@Sendable (Result<Int, MQTTError>) -> Void)? = nil
    ) throws(MQTTError) {
        try self.enqueue(
            OutgoingMessage(
                topic: topic,
                payload: payload,
                qos: min(qos, 1),
                isRetained: isRetained,
                completion: completion
            )
        )
    }

    private func enqueue(_ message: OutgoingMessage) throws(MQTTError) {
        let (topic, payload) = (message.topic, message.payload)
        guard (1...65_535).contains(topic.utf8.count),
            !topic.unicodeScalars.contains(where: { $0 == "+" || $0 == "#" || $0 == "\0" })
        else {
            throw MQTTError(.invalidTopic, "'\(topic.prefix(80))' is not a topic to publish to")
        }
        guard payload.count <= 1 << 28 - 1 else {
            throw MQTTError(.payloadTooLarge, "\(payload.count) bytes are more than MQTT allows")
        }
        let verdict: MQTTError? = self.shared.withLock { shared in
            if shared.isStopping { return MQTTError(.closed, "the connection is being closed") }
            if message.command != nil, shared.statistics.state != .connected {
                return MQTTError(.notConnected, "there is no connection to the broker")
            }
            guard shared.outgoing.count < self.configuration.publishQueueMax else {
                return MQTTError(
                    .queueFull,
                    "\(shared.outgoing.count) messages wait already; the broker is slow or away"
                )
            }
            shared.outgoing.append(message)
            return nil
        }
        if let verdict { throw verdict }
        self.wake.signal()
    }

    /// Publishes a message and waits until the broker has it.
    ///
    /// - Returns: The number of connections it was sent on.
    @discardableResult
    package func publishAndWait(
        topic: String,
        payload: [UInt8],
        qos: UInt8 = 1,
        isRetained: Bool = false
    ) async throws -> Int {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int, any Error>) in
            do {
                try self.publish(topic: topic, payload: payload, qos: qos, isRetained: isRetained) { result in
                    continuation.resume(with: result.mapError { $0 as any Error })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Publishes an order to a device over the connection that there is now, never retained, or not at all.
    ///
    /// - Parameters:
    ///   - expirySeconds: After that long the broker delivers it to nobody any more (version 5 only).
    ///   - completion: Called once on the connection's thread: when the broker has it; or with
    ///     ``MQTTError/Code/notConnected`` when it was not sent, ``MQTTError/Code/unanswered`` when the connection
    ///     ended before the acknowledgement.
    /// - Throws: ``MQTTError/Code/notConnected`` when there is no connection.
    package func publishCommand(
        topic: String,
        payload: [UInt8],
        expirySeconds: UInt32,
        completion: @escaping @Sendable (Result<Int, MQTTError>) -> Void
    ) throws(MQTTError) {
        try self.enqueue(
            OutgoingMessage(
                topic: topic,
                payload: payload,
                qos: 1,
                isRetained: false,
                command: OutgoingMessage.Command(
                    expirySeconds: expirySeconds,
                    deadlineNanoseconds: boottimeNanoseconds() &+ UInt64(expirySeconds) &* 1_000_000_000
                ),
                completion: completion
            )
        )
    }

    private func threadMain() {
        signal(SIGPIPE, SIG_IGN)
        var backoff = Backoff(
            initialMilliseconds: self.configuration.backoffInitialMilliseconds,
            maximumMilliseconds: self.configuration.backoffMaxMilliseconds
        )
        var pending: [OutgoingMessage] = []
        while !self.isStopping {
            self.change(.connecting)
            let start = boottimeNanoseconds()
            let reason = self.connectAndServe(pending: &pending)
            if self.isStopping { break }
            self.change(.disconnected(reason))
            self.dropCommands(&pending)
            if !self.configuration.keepsUnacknowledged { self.giveUp(&pending) }
            if boottimeNanoseconds() &- start > 60_000_000_000 { backoff.reset() }
            self.wake.wait(milliseconds: backoff.next(), isStopping: { self.isStopping })
        }
        let waiting = self.shared.withLock { shared in
            defer { shared.outgoing = [] }
            return shared.outgoing
        }
        for message in pending + waiting {
            message.completion?(.failure(MQTTError(.closed, "the connection was closed")))
        }
    }

    /// Fails everything that waits; the next connection begins with nothing.
    private func giveUp(_ pending: inout [OutgoingMessage]) {
        let waiting = self.shared.withLock { shared in
            defer { shared.outgoing = [] }
            return shared.outgoing
        }
        for message in pending + waiting {
            message.completion?(.failure(MQTTError(.broker, "the connection was lost")))
        }
        pending = []
    }

    /// Fails the commands of the connection that ended: they are not carried over to the next one.
    private func dropCommands(_ pending: inout [OutgoingMessage]) {
        let waiting = self.shared.withLock { shared in
            let waiting = shared.outgoing.filter { $0.command != nil }
            if !waiting.isEmpty { shared.outgoing.removeAll { $0.command != nil } }
            return waiting
        }
        for message in pending.filter({ $0.command != nil }) + waiting {
            let error =
                message.failures == 0
                ? MQTTError(.notConnected, "the connection to the broker was lost before the command was sent")
                : MQTTError(.unanswered, "the connection to the broker was lost before it acknowledged the command")
            message.completion?(.failure(error))
        }
        pending.removeAll { $0.command != nil }
    }

    private func takeInterruption() -> Bool {
        self.shared.withLock { shared in
            defer { shared.isInterrupted = false }
            return shared.isInterrupted
        }
    }

    private var isStopping: Bool { self.shared.withLock { $0.isStopping } }

    private func change(_ state: MQTTConnectionState) {
        let isNew = self.shared.withLock { shared in
            let isNew = shared.statistics.state != state
            shared.statistics.state = state
            if case .disconnected(let reason) = state { shared.statistics.lastError = reason }
            if state == .connected { shared.statistics.connects &+= 1 }
            return isNew
        }
        guard isNew else { return }
        self.logger.debug("mqtt connection", metadata: ["state": "\(state)"])
        self.receiver.connectionChanged(state)
    }

    /// One connection from start to end; returns why it ended.
    private func connectAndServe(pending: inout [OutgoingMessage]) -> String {
        let place = "\(self.configuration.host):\(self.configuration.port)"
        if let problem = TCPProbe.problem(
            host: self.configuration.host,
            port: self.configuration.port,
            timeoutMilliseconds: min(self.configuration.connectDeadlineMilliseconds, 3_000)
        ) {
            return "\(place): \(problem)"
        }
        let handle: MosquittoHandle
        do throws(MQTTError) {
            handle = try MosquittoHandle(self.configuration)
        } catch {
            return error.description
        }
        let result = handle.connect(self.configuration)
        guard result == 0 else { return "\(place): \(MosquittoHandle.text(ofError: result))" }
        var session = Session(handle: handle, unsent: pending)
        // After a failure one message at a time, so that one the broker will not have is found among the others.
        session.window = pending.contains { $0.failures > 0 } ? 1 : Self.window
        let reason = self.serve(&session)
        pending = session.unfinished.filter { message in
            guard message.failures >= Self.failuresMax else { return true }
            let times = "the broker closed the connection \(message.failures) times over this message"
            message.completion?(.failure(MQTTError(.broker, times)))
            return false
        }
        return reason ?? "\(place): the broker closed the connection"
    }

    /// What one connection knows.
    private struct Session {
        let handle: MosquittoHandle
        /// Taken from the queue, not yet handed over.
        var unsent: [OutgoingMessage]
        var inFlight: [Int32: (order: UInt64, message: OutgoingMessage)] = [:]
        var announcements: Set<Int32> = []
        var subscribed: Set<String> = []
        var isConnected = false
        var nextOrder: UInt64 = 0
        var window = 0

        /// Hands over what nobody waits for; returns why that cannot be done, or `nil`.
        mutating func send(_ announcement: MQTTConfiguration.Announcement) -> String? {
            let identifier = self.handle.publish(
                OutgoingMessage(
                    topic: announcement.topic,
                    payload: announcement.payload,
                    qos: 1,
                    isRetained: announcement.isRetained
                )
            )
            guard identifier >= 0 else { return MosquittoHandle.text(ofError: -identifier) }
            self.announcements.insert(identifier)
            return nil
        }

        /// Everything that the broker has not acknowledged, in order.
        var unfinished: [OutgoingMessage] {
            let sent = self.inFlight.values.sorted { $0.order < $1.order }
                .map { entry in
                    var message = entry.message
                    message.failures += 1
                    return message
                }
            return sent + self.unsent
        }
    }

    private static let window = 64
    /// A message that was unacknowledged at the end of this many connections is given up.
    private static let failuresMax = 3

    private func serve(_ session: inout Session) -> String? {
        let handle = session.handle
        let deadline =
            boottimeNanoseconds() &+ UInt64(max(self.configuration.connectDeadlineMilliseconds, 1)) &* 1_000_000
        while true {
            if self.isStopping {
                if session.isConnected { self.sayGoodbye(&session) }
                return "stopping"
            }
            if self.takeInterruption() { return "interrupted" }
            let socket = handle.socket
            guard socket >= 0 else { return nil }
            let readiness = self.wake.poll(with: socket, wantsToWrite: handle.wantsToWrite, milliseconds: 200)
            if readiness.isReadable {
                let result = handle.read()
                if let problem = self.deliver(handle) { return problem }
                if result != 0 { return self.reason(of: result, handle) }
            }
            if let code = handle.connectResult, !session.isConnected {
                guard code == 0 else { return MosquittoHandle.text(ofRefusal: code) }
                session.isConnected = true
                if let birth = self.configuration.birth, let problem = session.send(birth) { return problem }
                self.change(.connected)
            }
            if !session.isConnected, boottimeNanoseconds() > deadline {
                return "the broker accepts but does not answer"
            }
            if session.isConnected, let problem = self.pump(&session) { return problem }
            var result = handle.write()
            if result == 0 { result = handle.keepAlive() }
            self.settle(&session)
            if result != 0 { return self.reason(of: result, handle) }
        }
    }

    private func reason(of result: Int32, _ handle: MosquittoHandle) -> String? {
        if let code = handle.connectResult, code != 0 { return MosquittoHandle.text(ofRefusal: code) }
        return result == 7 ? nil : MosquittoHandle.text(ofError: result)
    }

    /// Hands what was read to the receiver; returns why the connection must end, or `nil`.
    private func deliver(_ handle: MosquittoHandle) -> String? {
        let batch = handle.takeBatch()
        guard !batch.isEmpty else { return nil }
        do {
            try self.receiver.receive(batch)
        } catch {
            self.shared.withLock { $0.statistics.refusedBatches &+= 1 }
            self.logger.error(
                "messages not stored; they are not acknowledged and will come again",
                metadata: ["error": "\(error)"]
            )
            return "the messages could not be stored: \(error)"
        }
        self.shared.withLock { shared in
            shared.statistics.received &+= UInt64(batch.count)
            shared.statistics.repairedTopics = handle.repairedTopics
        }
        return nil
    }

    /// Brings the subscriptions up to date and hands messages over, as many as the window allows.
    private func pump(_ session: inout Session) -> String? {
        let (wanted, taken) = self.shared.withLock { shared -> ([String], [OutgoingMessage]) in
            let room = max(0, session.window - session.inFlight.count - session.unsent.count)
            let taken = Array(shared.outgoing.prefix(room))
            shared.outgoing.removeFirst(taken.count)
            return (shared.subscriptions, taken)
        }
        let wantedSet = Set(wanted)
        if wantedSet != session.subscribed {
            session.handle.unsubscribe(session.subscribed.subtracting(wantedSet).sorted())
            let result = session.handle.subscribe(wantedSet.subtracting(session.subscribed).sorted())
            guard result == 0 else { return "cannot subscribe: \(MosquittoHandle.text(ofError: result))" }
            session.subscribed = wantedSet
        }
        session.unsent.append(contentsOf: taken)
        while session.inFlight.count < session.window, let message = session.unsent.first {
            if let command = message.command, boottimeNanoseconds() > command.deadlineNanoseconds {
                session.unsent.removeFirst()
                message.completion?(.failure(MQTTError(.notConnected, "the broker took nothing for too long")))
                continue
            }
            let identifier = session.handle.publish(message)
            guard identifier >= 0 else { return MosquittoHandle.text(ofError: -identifier) }
            session.unsent.removeFirst()
            session.inFlight[identifier] = (session.nextOrder, message)
            session.nextOrder += 1
        }
        return nil
    }

    private func settle(_ session: inout Session) {
        let acknowledged = session.handle.takeAcknowledged()
        guard !acknowledged.isEmpty else { return }
        if session.unsent.allSatisfy({ $0.failures == 0 }) { session.window = Self.window }
        for identifier in acknowledged {
            session.announcements.remove(identifier)
            guard let message = session.inFlight.removeValue(forKey: identifier)?.message else { continue }
            message.completion?(.success(message.failures + 1))
        }
        self.shared.withLock { $0.statistics.published &+= UInt64(acknowledged.count) }
        self.wake.signal()
    }

    /// A clean end: what was queued goes out if it can within a second, then the last will, by ourselves, because a
    /// broker does not publish it for a client that says goodbye.
    private func sayGoodbye(_ session: inout Session) {
        let handle = session.handle
        let deadline = boottimeNanoseconds() &+ 1_000_000_000
        var hasSaidIt = self.configuration.lastWill == nil
        while boottimeNanoseconds() < deadline, handle.socket >= 0 {
            let isQueueEmpty = self.shared.withLock { $0.outgoing.isEmpty }
            if isQueueEmpty, session.inFlight.isEmpty, session.unsent.isEmpty {
                if hasSaidIt, session.announcements.isEmpty { break }
                if !hasSaidIt, let will = self.configuration.lastWill {
                    hasSaidIt = true
                    if session.send(will) != nil { return }
                }
            }
            if self.pump(&session) != nil || handle.write() != 0 { return }
            let readiness = self.wake.poll(with: handle.socket, wantsToWrite: handle.wantsToWrite, milliseconds: 50)
            if readiness.isReadable, handle.read() != 0 { return }
            _ = handle.takeBatch()
            self.settle(&session)
        }
        handle.disconnect()
        _ = handle.write()
    }
}
