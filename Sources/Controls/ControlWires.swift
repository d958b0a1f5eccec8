package import CampusModel
package import DeviceProfile

/// What became of a write to registers, and what was read back in the same stay on the bus.
package enum RegisterWriteReply: Sendable, Hashable {
    /// The device confirmed the write; the words read back, `nil` where that failed or was not asked.
    case accepted(readback: [UInt16]?)
    /// The device refused with a Modbus exception; the words read back.
    case refused(code: String, LocalizedText, readback: [UInt16]?)
    /// Sent, without a usable answer; the words read back.
    case unanswered(LocalizedText, readback: [UInt16]?)
    /// Nothing left the gateway.
    case notSent(LocalizedText)
}

/// What became of a message.
package enum PublishReply: Sendable, Hashable {
    /// The broker has it.
    case acknowledged
    /// It may have reached the broker.
    case unanswered(LocalizedText)
    /// Nothing left the gateway, and nothing will.
    case notSent(LocalizedText)
}

/// The newest value of a point.
package struct PointObservation: Sendable, Hashable {
    package var value: Double
    package var isGood: Bool
    package var received: Tick

    package init(value: Double, isGood: Bool, received: Tick) {
        self.value = value
        self.isGood = isGood
        self.received = received
    }
}

/// Reaches the devices; the app supplies the adapter, which never blocks the caller's thread.
package protocol ControlWires: Sendable {
    /// Why a device cannot be reached now, as far as that is known without asking it.
    func obstacle(of device: ControlledDevice) -> LocalizedText?
    /// Writes, ahead of polls, and reads back.
    func write(_ write: ControlWrite, bus: String, unit: UInt8, readback: RegisterRead?) async -> RegisterWriteReply
    /// Reads the place where a write shows; `nil` where that failed.
    func read(_ read: RegisterRead, bus: String, unit: UInt8) async -> [UInt16]?
    /// Publishes with quality of service 1, never retained, over the present connection or not at all.
    func publish(topic: String, payload: String, withinMilliseconds: Int64) async -> PublishReply
    /// The newest value that acquisition has.
    func observation(of point: Int, device: DeviceID) -> PointObservation?
}

/// Where commands are written down; what returned is durable.
package protocol ControlJournal: Sendable {
    /// Writes down what is about to be sent.
    ///
    /// Returns its number.
    func begin(_ request: CommandRequest, wire: String) async throws -> Int64
    /// Writes down what became of it.
    func end(_ command: Command) async throws
    /// Writes down that somebody wanted what may not be.
    func refuse(_ request: CommandRequest, _ refusal: CommandRefusal) async throws
    /// Writes down a change of what is held; `action` is a noun and a verb such as `control.lock`.
    ///
    /// `holds` is asked while it is written, so that of two changes at once the later is kept.
    func keep(
        _ holds: @escaping @Sendable () -> ControlHolds,
        actor: String,
        action: String,
        subject: String,
        detail: [String: String]
    ) async throws
}
