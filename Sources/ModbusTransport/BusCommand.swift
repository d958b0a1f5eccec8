/// A write that waits for its turn between the requests of polls.
struct BusCommand: Sendable {
    /// Commands that wait for one bus; more are refused.
    static let waitingMax = 64

    var write: ModbusWrite
    var unit: UInt8
    /// What is read after the write was answered.
    var read: ModbusRead?
    /// Called once, on the bus's thread.
    var finish: @Sendable (BusReply) -> Void
}

/// What became of a command.
package struct BusReply: Sendable {
    package internal(set) var write: Result<Void, ModbusError>
    /// `nil` where nothing was to be read, or where the write was not sent.
    package internal(set) var read: Result<ModbusReply, ModbusError>?

    init(write: Result<Void, ModbusError>) { self.write = write }

    /// Whether anything of the write went out.
    package var wasSent: Bool {
        switch self.write {
        case .success: true
        case .failure(let error): error.exchange != nil
        }
    }
}
