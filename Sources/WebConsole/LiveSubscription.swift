internal import NIOCore
internal import Synchronization

/// One browser's stream: at most `capacity` events wait; when full the oldest goes and the browser is told to resync.
final class LiveSubscription: Sendable {
    private struct State {
        var waiting: CircularBuffer<ByteBuffer>
        var needsResync = false
        var isFinished = false
        var reader: CheckedContinuation<ByteBuffer?, Never>?
    }

    /// Whose stream this is: the session's or the token's name.
    let owner: String
    /// The person behind the session; `nil` for programs.
    let user: String?
    let role: ConsoleRole
    private let capacity: Int
    private let state: Mutex<State>

    /// Tells the browser that it missed something and should read the page's values again.
    private static let resync = ByteBuffer(string: "event: resync\ndata: {}\n\n")

    init(owner: String, user: String? = nil, role: ConsoleRole, capacity: Int) {
        self.owner = owner
        self.user = user
        self.role = role
        self.capacity = max(1, capacity)
        self.state = Mutex(State(waiting: CircularBuffer(initialCapacity: 16)))
    }

    /// Puts an encoded event in line; returns whether an older one had to go.
    func send(_ event: ByteBuffer) -> Bool {
        let (reader, dropped) = self.state.withLock { state -> (CheckedContinuation<ByteBuffer?, Never>?, Bool) in
            if state.isFinished { return (nil, false) }
            if let reader = state.reader {
                state.reader = nil
                return (reader, false)
            }
            let isFull = state.waiting.count >= self.capacity
            if isFull {
                state.waiting.removeFirst()
                state.needsResync = true
            }
            state.waiting.append(event)
            return (nil, isFull)
        }
        reader?.resume(returning: event)
        return dropped
    }

    /// Sends only when nothing waits (keep-alive comments).
    func sendIfIdle(_ event: ByteBuffer) {
        let isIdle = self.state.withLock { $0.waiting.isEmpty }
        if isIdle { _ = self.send(event) }
    }

    /// Ends the stream after what already waits.
    func finish() {
        let reader = self.state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next bytes to write (all that wait, in one piece), or nil at the end; one reader at a time.
    func next() async -> ByteBuffer? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (ready, result) = self.state.withLock { state -> (Bool, ByteBuffer?) in
                    if let bytes = Self.drain(&state) { return (true, bytes) }
                    if state.isFinished || state.reader != nil { return (true, nil) }
                    state.reader = continuation
                    return (false, nil)
                }
                if ready { continuation.resume(returning: result) }
            }
        } onCancel: {
            self.finish()
        }
    }

    private static func drain(_ state: inout State) -> ByteBuffer? {
        guard !state.waiting.isEmpty else { return nil }
        var bytes = state.needsResync ? Self.resync : ByteBuffer()
        state.needsResync = false
        while var event = state.waiting.popFirst() { bytes.writeBuffer(&event) }
        return bytes
    }
}
