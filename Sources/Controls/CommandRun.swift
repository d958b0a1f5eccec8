internal import CampusModel
internal import DeviceProfile

/// Carries one admitted command out and finds what became of it.
struct CommandRun: Sendable {
    let device: ControlledDevice
    let control: ControlDefinition
    let write: ControlWrite
    /// What the device must show; see ``ControlDefinition/expected(_:)``.
    let expected: Double
    let wires: any ControlWires
    let clock: any TickClock
    let pause: @Sendable (Int64) async throws -> Void

    /// The first look after the write, and the longest time between two looks.
    private static let firstLookMilliseconds: Int64 = 50
    private static let longestLookMilliseconds: Int64 = 1_000

    func outcome() async -> CommandOutcome {
        switch (self.write, self.device.address) {
        case (.registers, .registers(let bus, let unit)): return await self.registers(bus, unit)
        case (.message(let topic, let payload), .messages): return await self.message(topic, payload)
        default:
            // The reader and the configuration make sure of it.
            return .notSent(
                LocalizedText(vi: "địa chỉ không hợp với hồ sơ", en: "the address does not fit the profile")
            )
        }
    }

    private func registers(_ bus: String, _ unit: UInt8) async -> CommandOutcome {
        let (index, within) = self.readback
        let place = index.flatMap { RegisterReadback(profile: self.device.profile, point: $0) }
        let start = self.clock.now()
        let reply = await self.wires.write(self.write, bus: bus, unit: unit, readback: place?.read)
        var shown: Double?
        let otherwise: CommandOutcome?
        switch reply {
        case .notSent(let text): return .notSent(text)
        case .refused(let code, let text, _): return .refused(code: code, text)
        case .accepted(let words):
            guard index != nil else { return .acknowledged }
            shown = words.flatMap { place?.value(in: $0) }
            otherwise = nil
        case .unanswered(let text, let words):
            guard index != nil else { return .unknown(text) }
            shown = words.flatMap { place?.value(in: $0) }
            otherwise = .unknown(text)
        }
        if let shown, self.isExpected(shown) { return .confirmed(shown) }
        let deadline = start.advanced(byMilliseconds: within)
        return await self.look(until: deadline, shown: shown, otherwise: otherwise) {
            if let place {
                return await self.wires.read(place.read, bus: bus, unit: unit).flatMap { place.value(in: $0) }
            }
            return self.reported(index, after: start)
        }
    }

    private func message(_ topic: String, _ payload: String) async -> CommandOutcome {
        let (index, within) = self.readback
        let start = self.clock.now()
        let reply = await self.wires.publish(topic: topic, payload: payload, withinMilliseconds: max(within, 5_000))
        let otherwise: CommandOutcome?
        switch reply {
        case .notSent(let text): return .notSent(text)
        case .acknowledged: otherwise = nil
        case .unanswered(let text): otherwise = .unknown(text)
        }
        guard let index else { return otherwise ?? .acknowledged }
        let deadline = start.advanced(byMilliseconds: within)
        return await self.look(until: deadline, shown: nil, otherwise: otherwise) {
            self.reported(index, after: start)
        }
    }

    private var readback: (index: Int?, withinMilliseconds: Int64) {
        guard case .point(let index, let within, _) = self.control.readback else { return (nil, 0) }
        return (index, within)
    }

    /// What acquisition was told after the command.
    private func reported(_ index: Int?, after start: Tick) -> Double? {
        guard let index, let found = self.wires.observation(of: index, device: self.device.id), found.isGood,
            found.received >= start
        else { return nil }
        return found.value
    }

    /// Looks until the device shows what it should, or until the time is over; each look waits longer than the last.
    private func look(
        until deadline: Tick,
        shown first: Double?,
        otherwise: CommandOutcome?,
        _ look: () async -> Double?
    ) async -> CommandOutcome {
        var shown = first
        var wait = Self.firstLookMilliseconds
        while true {
            if let value = await look() {
                shown = value
                if self.isExpected(value) { return .confirmed(value) }
            }
            let left = deadline.rawValue - self.clock.now().rawValue
            guard left > 0 else { break }
            do {
                try await self.pause(min(wait, left))
            } catch {
                let text = LocalizedText(
                    vi: "gateway dừng trước khi biết kết quả",
                    en: "the gateway stopped before the result was known"
                )
                return .unknown(text)
            }
            wait = min(wait * 2, Self.longestLookMilliseconds)
        }
        if shown == nil, let otherwise { return otherwise }
        return .different(shown)
    }

    /// Equal within the tolerance of the profile, and of a 32-bit float.
    private func isExpected(_ value: Double) -> Bool {
        guard case .point(_, _, let tolerance) = self.control.readback else { return false }
        return abs(value - self.expected) <= max(tolerance, abs(self.expected) * 1e-6)
    }
}
