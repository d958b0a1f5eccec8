internal import CampusModel

/// The newest commands of each control, and who waits for one.
struct CommandBook: Sendable {
    /// Commands kept of one control.
    static let perControl = 10

    private var commands: [ControlKey: [Command]] = [:]
    private var waiters: [Int64: [AsyncStream<Command>.Continuation]] = [:]
    /// Counts every change.
    private(set) var revision: UInt64 = 0

    /// Takes a new command, or what became of one; gives those who wait for its end.
    mutating func put(_ command: Command) -> [AsyncStream<Command>.Continuation] {
        self.revision &+= 1
        var list = self.commands[command.key] ?? []
        if let index = list.firstIndex(where: { $0.id == command.id }) {
            list[index] = command
        } else {
            list.insert(command, at: 0)
            list.sort { $0.id > $1.id }
            if list.count > Self.perControl { list.removeLast() }
        }
        self.commands[command.key] = list
        guard command.outcome != .pending else { return [] }
        return self.waiters.removeValue(forKey: command.id) ?? []
    }

    /// Something that pages show has changed.
    mutating func touch() { self.revision &+= 1 }

    /// The newest first.
    func commands(of key: ControlKey) -> [Command] { self.commands[key] ?? [] }

    mutating func wait(for id: Int64, _ waiter: AsyncStream<Command>.Continuation) {
        self.waiters[id, default: []].append(waiter)
    }

    mutating func stopWaiting(for id: Int64) { self.waiters[id] = nil }
}
