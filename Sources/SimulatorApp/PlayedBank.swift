internal import CampusModel
internal import DeviceProfile
internal import ModbusTransport
internal import Synchronization

/// The registers of the devices on one bus: computed from the signal when read, written ones kept.
final class PlayedBank: RegisterBank {
    /// One device on the bus.
    struct Unit: Sendable {
        var device: String
        var profile: DeviceProfile
    }

    private let units: [UInt8: Unit]
    private let model: SignalModel
    private let clock: any TickClock
    private let images = Mutex<[UInt8: (second: Int64, image: [UInt32: UInt16])]>([:])
    private let written = Mutex<[UInt8: [UInt32: UInt16]]>([:])

    init(units: [UInt8: Unit], model: SignalModel, clock: any TickClock) {
        self.units = units
        self.model = model
        self.clock = clock
    }

    func isPresent(unit: UInt8) -> Bool { self.units[unit] != nil }

    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        guard let played = self.units[unit], Int(address) + Int(count) <= 65_536 else {
            return .failure(RegisterException(code: 2))
        }
        let tick = self.clock.now()
        let second = tick.rawValue / 1_000
        let image: [UInt32: UInt16] = self.images.withLock { images in
            if let known = images[unit], known.second == second { return known.image }
            let made = self.image(of: played, at: tick)
            images[unit] = (second, made)
            return made
        }
        let overrides = self.overrides(of: unit, played.profile, number: Self.eventNumber(at: tick))
        return .success(
            (0..<Int(count))
                .map { offset in
                    let key = UInt32(table.rawValue) << 16 | (UInt32(address) + UInt32(offset))
                    return overrides[key] ?? image[key] ?? 0
                }
        )
    }

    /// What was written, and the flags of events that were cleared and did not happen again since.
    private func overrides(of unit: UInt8, _ profile: DeviceProfile, number: UInt16) -> [UInt32: UInt16] {
        var overrides = self.written.withLock { $0[unit] ?? [:] }
        for event in profile.events {
            guard case .registers(let flag, _, let clear, _, _, _) = event.capture, let flag, let clear else {
                continue
            }
            let cleared = UInt32(clear.table.readFunction) << 16 | UInt32(clear.address) | Self.clearedMark
            if overrides[cleared] == number {
                overrides[UInt32(flag.table.readFunction) << 16 | UInt32(flag.address)] = 0
            }
        }
        return overrides
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        guard let played = self.units[unit], Int(address) + values.count <= 65_536 else {
            return RegisterException(code: 2)
        }
        let start = UInt32(table.rawValue) << 16 | UInt32(address)
        let number = Self.eventNumber(at: self.clock.now())
        self.written.withLock { written in
            if self.clearsEvent(of: played.profile, table, address) {
                // The next card sets the flag again.
                written[unit, default: [:]][start | Self.clearedMark] = number
                return
            }
            for (offset, value) in values.enumerated() {
                written[unit, default: [:]][start + UInt32(offset)] = value
            }
            for (key, value) in self.shown(played.profile, table, address, values) {
                written[unit, default: [:]][key] = value
            }
        }
        return nil
    }

    /// Marks, in what was written, the number of the event whose flag was cleared; above every function and address.
    private static let clearedMark: UInt32 = 1 << 31

    /// A card every 20 seconds.
    private static func eventNumber(at tick: Tick) -> UInt16 { UInt16(truncatingIfNeeded: tick.rawValue / 20_000) }

    private func clearsEvent(of profile: DeviceProfile, _ table: ModbusTable, _ address: UInt16) -> Bool {
        profile.events.contains { event in
            guard case .registers(_, _, let clear, _, _, _) = event.capture, let clear else { return false }
            return clear.address == address && clear.table.readFunction == table.rawValue
        }
    }

    /// A control that was written shows at the point that tells of it, where that is another register.
    private func shown(
        _ profile: DeviceProfile,
        _ table: ModbusTable,
        _ address: UInt16,
        _ values: [UInt16]
    ) -> [UInt32: UInt16] {
        var shown: [UInt32: UInt16] = [:]
        for control in profile.controls {
            guard case .register(let source, _) = control.target, source.address == address,
                source.table.readFunction == table.rawValue, case .point(let index, _, _) = control.readback,
                let value = control.value(ofWords: values),
                case .register(let place) = profile.points[index].source,
                let words = ProfileEncoder(profile: profile).words(for: value, point: index)
            else { continue }
            for (offset, word) in words.enumerated() {
                shown[UInt32(place.table.readFunction) << 16 | (UInt32(place.address) + UInt32(offset))] = word
            }
        }
        return shown
    }

    private func image(of unit: Unit, at tick: Tick) -> [UInt32: UInt16] {
        let encoder = ProfileEncoder(profile: unit.profile)
        var image: [UInt32: UInt16] = [:]
        for (index, point) in unit.profile.points.enumerated() {
            guard case .register(let source) = point.source else { continue }
            let value =
                unit.profile.playedHelper(index, at: tick)
                ?? (point.isHidden ? 0 : self.model.value(of: point, device: unit.device, at: tick))
            let words =
                point.kind == .text
                ? encoder.words(for: source.type == .hex ? "51 4D" : "SIM-\(unit.device)", point: index)
                : encoder.words(for: value, point: index)
            for (offset, word) in (words ?? []).enumerated() {
                let key = UInt32(source.table.readFunction) << 16 | (UInt32(source.address) + UInt32(offset))
                // Several points may be bits of one word.
                image[key] = source.bits == nil ? word : (image[key] ?? 0) | word
            }
        }
        self.addEvents(of: unit, at: tick, to: &image)
        return image
    }

    /// A card every 20 seconds: the flag is set or the sequence counts, the fields follow it.
    private func addEvents(of unit: Unit, at tick: Tick, to image: inout [UInt32: UInt16]) {
        let number = Self.eventNumber(at: tick)
        for event in unit.profile.events {
            guard case .registers(let flag, let sequence, _, _, _, let fields) = event.capture else { continue }
            if let flag {
                let key = UInt32(flag.table.readFunction) << 16 | UInt32(flag.address)
                image[key] = flag.table.isBits ? 1 : (image[key] ?? 0) | 1 << UInt16(flag.bit)
            }
            if let sequence {
                image[UInt32(sequence.table.readFunction) << 16 | UInt32(sequence.address)] = number
            }
            for field in fields {
                let key = UInt32(field.source.table.readFunction) << 16 | UInt32(field.source.address)
                image[key + UInt32(field.source.addressCount) - 1] = number &* 40_503
            }
        }
    }
}
