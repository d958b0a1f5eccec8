internal import CampusModel
internal import FoundationEssentials
package import Hummingbird
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// Sends live events to every open page (Server-Sent Events).
///
/// Publishing never waits: each page has a bounded line, the oldest event goes when it is full, the loss is counted and
/// the page reads its values again. Run it as a service: that sends the keep-alive comments.
package final class LiveBroadcaster: Service {
    /// Figures for the metrics page.
    package struct Counts: Sendable, Hashable {
        /// Pages that are listening now.
        package var subscribers: Int
        /// Events published since start.
        package var published: UInt64
        /// Events that a slow page did not get.
        package var dropped: UInt64
        /// Pages that were turned away because there were too many.
        package var refused: UInt64
    }

    private struct State {
        var subscriptions: [ObjectIdentifier: LiveSubscription] = [:]
        var published: UInt64 = 0
        var dropped: UInt64 = 0
        var refused: UInt64 = 0
        var isClosed = false
    }

    private let subscribersMax: Int
    private let eventsMax: Int
    private let keepAlive: Duration
    private let state = Mutex(State())
    private static let comment = ByteBuffer(string: ": keep-alive\n\n")

    /// Makes a broadcaster for at most `subscribersMax` pages with `eventsMax` waiting events each.
    package init(subscribersMax: Int = 100, eventsMax: Int = 256, keepAlive: Duration = .seconds(15)) {
        self.subscribersMax = subscribersMax
        self.eventsMax = eventsMax
        self.keepAlive = keepAlive
    }

    /// Sends keep-alive comments until the service group stops, then ends every stream.
    package func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: self.keepAlive)
                self.sendKeepAlive()
            }
        }
        self.close()
    }

    /// Sends `json` (one line of JSON text) as the event `name` to every page whose user may see it.
    package func publish(_ name: String, json: String, for role: ConsoleRole = .viewer) {
        var event = ByteBuffer()
        event.writeString("event: \(name.filter { !$0.isNewline })\n")
        // A line end inside data would end the field, so each line becomes a data field of its own.
        for line in json.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            event.writeString("data: \(line)\n")
        }
        event.writeString("\n")
        let listeners = self.state.withLock { state in
            state.published += 1
            return state.subscriptions.values.filter { $0.role.allows(role) }
        }
        var dropped: UInt64 = 0
        for listener in listeners where listener.send(event) { dropped += 1 }
        if dropped > 0 { self.state.withLock { $0.dropped += dropped } }
    }

    /// Sends `value` as JSON.
    package func publish(_ name: String, _ value: some Encodable, for role: ConsoleRole = .viewer) {
        guard self.hasSubscribers else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        self.publish(name, json: String(decoding: data, as: UTF8.self), for: role)
    }

    /// Whether anybody listens; ask before making a costly event.
    package var hasSubscribers: Bool { self.state.withLock { !$0.subscriptions.isEmpty } }

    /// Figures now.
    package var counts: Counts {
        self.state.withLock {
            Counts(
                subscribers: $0.subscriptions.count,
                published: $0.published,
                dropped: $0.dropped,
                refused: $0.refused
            )
        }
    }

    /// Ends the streams of one session, at logout.
    package func disconnect(owner: String) {
        let ended = self.state.withLock { $0.subscriptions.values.filter { $0.owner == owner } }
        for subscription in ended { subscription.finish() }
    }

    /// Ends all streams of a user, after a change of password or role.
    package func disconnect(user: String) {
        let ended = self.state.withLock { $0.subscriptions.values.filter { $0.user == user } }
        for subscription in ended { subscription.finish() }
    }

    /// Ends every stream and takes no new ones.
    package func close() {
        let all = self.state.withLock { state in
            state.isClosed = true
            return Array(state.subscriptions.values)
        }
        for subscription in all { subscription.finish() }
    }

    /// Answers with an endless stream of events for the caller.
    package func response(_ request: Request, _ context: ConsoleContext) throws -> Response {
        guard let role = context.role else { throw Problem.unauthenticated }
        let owner = context.session?.id ?? context.apiIdentity.map { "token:\($0.name)" } ?? ""
        let lease = Lease(
            broadcaster: self,
            subscription: try self.subscribe(owner: owner, user: context.session?.user, role: role)
        )
        let body = ResponseBody { writer in
            let subscription = lease.subscription
            defer { self.unsubscribe(subscription) }
            try await request.body.consumeWithInboundCloseHandler { _ in
                try await withGracefulShutdownHandler {
                    try await writer.write(ByteBuffer(string: "retry: 2000\nevent: hello\ndata: {}\n\n"))
                    while let bytes = await subscription.next() { try await writer.write(bytes) }
                } onGracefulShutdown: {
                    subscription.finish()
                }
            } onInboundClosed: {
                subscription.finish()
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: body
        )
    }

    func subscribe(owner: String, user: String? = nil, role: ConsoleRole) throws -> LiveSubscription {
        let subscription = LiveSubscription(owner: owner, user: user, role: role, capacity: self.eventsMax)
        let isAdmitted = self.state.withLock { state in
            guard !state.isClosed, state.subscriptions.count < self.subscribersMax else {
                state.refused += 1
                return false
            }
            state.subscriptions[ObjectIdentifier(subscription)] = subscription
            return true
        }
        guard isAdmitted else {
            throw Problem.unavailable(
                LocalizedText(vi: "Quá nhiều trang đang theo dõi trực tiếp.", en: "Too many pages are listening.")
            )
        }
        return subscription
    }

    func unsubscribe(_ subscription: LiveSubscription) {
        subscription.finish()
        self.state.withLock { _ = $0.subscriptions.removeValue(forKey: ObjectIdentifier(subscription)) }
    }

    func sendKeepAlive() {
        let all = self.state.withLock { Array($0.subscriptions.values) }
        for subscription in all { subscription.sendIfIdle(Self.comment) }
    }

    /// Gives the place back even when the answer's body is never written (HEAD, a client that is gone already).
    private final class Lease: Sendable {
        let broadcaster: LiveBroadcaster
        let subscription: LiveSubscription

        init(broadcaster: LiveBroadcaster, subscription: LiveSubscription) {
            self.broadcaster = broadcaster
            self.subscription = subscription
        }

        deinit { self.broadcaster.unsubscribe(self.subscription) }
    }
}
