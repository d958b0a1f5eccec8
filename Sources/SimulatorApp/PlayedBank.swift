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
        let overrides = self.written.withLock { $0[unit] ?? [:] }
        return .success(
            (0..<Int(count))
                .map { offset in
                    let key = UInt32(table.rawValue) << 16 | (UInt32(address) + UInt32(offset))
                    return overrides[key] ?? image[key] ?? 0
                }
        )
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        guard self.units[unit] != nil, Int(address) + values.count <= 65_536 else { return RegisterException(code: 2) }
        self.written.withLock { written in
            for (offset, value) in values.enumerated() {
                written[unit, default: [:]][UInt32(table.rawValue) << 16 | (UInt32(address) + UInt32(offset))] = value
            }
        }
        return nil
    }

    private func image(of unit: Unit, at tick: Tick) -> [UInt32: UInt16] {
        let encoder = ProfileEncoder(profile: unit.profile)
        var image: [UInt32: UInt16] = [:]
        for (index, point) in unit.profile.points.enumerated() {
            guard case .register(let source) = point.source else { continue }
            let value = point.isHidden ? 0 : self.model.value(of: point, device: unit.device, at: tick)
            let words =
                point.kind == .text
                ? encoder.words(for: "SIM-\(unit.device)", point: index) : encoder.words(for: value, point: index)
            for (offset, word) in (words ?? []).enumerated() {
                let key = UInt32(source.table.readFunction) << 16 | (UInt32(source.address) + UInt32(offset))
                // Several points may be bits of one word.
                image[key] = source.bits == nil ? word : (image[key] ?? 0) | word
            }
        }
        self.addEvents(of: unit, at: tick, to: &image)
        return image
    }

    /// A card every 20 seconds: the sequence counts, the fields follow it.
    private func addEvents(of unit: Unit, at tick: Tick, to image: inout [UInt32: UInt16]) {
        let number = UInt16(truncatingIfNeeded: tick.rawValue / 20_000)
        for event in unit.profile.events {
            guard case .registers(_, let sequence, _, _, let fields) = event.capture else { continue }
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
