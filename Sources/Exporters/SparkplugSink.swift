internal import Synchronization

/// What happens on a connection of a Sparkplug node.
package enum SparkplugEvent: Sendable {
    /// A connection was made whose last will has this number.
    case connected(birthSequence: UInt8)
    case disconnected
    /// A command to the node.
    case command([UInt8])
}

/// A connection that gives up what it could not deliver, instead of sending it after a new birth.
package protocol SparkplugPublishing: Sendable {
    /// Keeps the connection until cancelled; says the goodbye first.
    ///
    /// - Parameters:
    ///   - will: The death for a connection with this number.
    ///   - events: Called on the connection's thread.
    func run(
        will: @escaping @Sendable (UInt8) -> ExportMessage,
        events: @escaping @Sendable (SparkplugEvent) -> Void
    ) async

    /// Publishes in this order and returns when the broker has acknowledged all.
    ///
    /// - Throws: ``SinkError``, also for all of them when the connection with this number is over.
    func publish(_ messages: [ExportMessage], birthSequence: UInt8) async throws

    /// Why there is no connection, in words; `nil` while there is one.
    var problem: String? { get }
}

/// An edge node of Sparkplug B.
///
/// Messages of one node are in the order of their sequence numbers, so one request is on its way at a time.
package actor SparkplugSink: ExportSink {
    private let group: String
    private let node: String
    private let publisher: any SparkplugPublishing
    private let devices: @Sendable () -> [SparkplugDevice]
    private let timer: any ExportTimer
    private var session: SparkplugSession
    /// The connection whose births have been sent.
    private var bornOn: UInt8?
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// The connection that there is, and whether a host asked for births.
    private let link = Mutex<(connection: UInt8?, isRebirthDue: Bool)>((nil, false))
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    package init(
        group: String,
        node: String,
        publisher: any SparkplugPublishing,
        devices: @escaping @Sendable () -> [SparkplugDevice],
        timer: any ExportTimer
    ) {
        self.group = group
        self.node = node
        self.publisher = publisher
        self.devices = devices
        self.timer = timer
        self.session = SparkplugSession(group: group, node: node)
        (self.signals, self.signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package nonisolated var problem: String? { self.publisher.problem }

    package nonisolated func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.publisher.run(
                    will: { number in
                        SparkplugSession.death(
                            group: self.group,
                            node: self.node,
                            birthSequence: number,
                            now: self.timer.now()
                        )
                    },
                    events: { self.take($0) }
                )
            }
            group.addTask { for await _ in self.signals { await self.tell() } }
            group.addTask {
                while (try? await self.timer.sleep(milliseconds: 1_000)) != nil { self.signal.yield() }
            }
            await group.waitForAll()
        }
    }

    nonisolated func take(_ event: SparkplugEvent) {
        self.link.withLock { link in
            switch event {
            case .connected(let number): link = (number, false)
            case .disconnected: link.connection = nil
            case .command(let payload):
                link.isRebirthDue = link.isRebirthDue || SparkplugSession.asksForRebirth(payload)
            }
        }
        self.signal.yield()
    }

    /// Sends the births that are due, and devices that came or went.
    func tell() async { _ = try? await self.exchange([]) }

    package func send(_ runs: [SeriesRun]) async throws -> SinkReceipt {
        SinkReceipt(bytes: try await self.exchange(runs))
    }

    private func exchange(_ runs: [SeriesRun]) async throws -> Int {
        await self.acquire()
        defer { self.release() }
        let (connection, isRebirthDue) = self.link.withLock { link in
            defer { link.isRebirthDue = false }
            return link
        }
        guard let connection else { throw SinkError(.retryable, self.publisher.problem ?? "not connected") }
        let now = self.timer.now()
        let devices = self.devices()
        var messages: [ExportMessage]
        if self.bornOn != connection || isRebirthDue {
            messages = self.session.births(devices, birthSequence: connection, now: now)
        } else {
            messages = self.session.changes(devices, now: now)
        }
        messages += self.session.data(runs, known: devices, now: now)
        guard !messages.isEmpty else { return 0 }
        // Whatever fails now leaves a gap in the sequence; births close it.
        self.bornOn = nil
        try await self.publisher.publish(messages, birthSequence: connection)
        self.bornOn = connection
        return messages.reduce(0) { $0 + $1.payload.count }
    }

    private func acquire() async {
        if self.isBusy {
            await withCheckedContinuation { self.waiting.append($0) }
        } else {
            self.isBusy = true
        }
    }

    private func release() {
        if self.waiting.isEmpty { self.isBusy = false } else { self.waiting.removeFirst().resume() }
    }
}
