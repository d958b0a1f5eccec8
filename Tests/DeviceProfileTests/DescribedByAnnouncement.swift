import CampusModel

@testable import DeviceProfile

/// An inventory that hears announcements, and what comes out of the profiles it makes.
struct Listener {
    var inventory = DescriptionInventory()
    private var milliseconds: Int64 = 1_790_000_000_000

    mutating func hear(_ topic: String, _ payload: String, isRetained: Bool = true) {
        self.milliseconds += 1_000
        let tick = Tick(milliseconds: self.milliseconds)
        self.inventory.take(topic, payload: Array(payload.utf8), isRetained: isRetained, at: tick)
    }

    func device(_ key: String) -> DescribedDevice? { self.inventory[key]?.device }

    /// Values by point of a message that the device's own profile decodes.
    func values(
        of device: DescribedDevice,
        _ topic: String,
        _ payload: String,
        isRetained: Bool = false
    ) throws -> [String: Double] {
        let outcome = try self.outcome(of: device, topic, payload, isRetained: isRetained)
        let (profile, _) = try (device.draft ?? { throw DescriptionError(description: "no draft") }()).proven(id: "p")
        var values: [String: Double] = [:]
        for value in outcome.values + outcome.elements.flatMap(\.values) where value.quality.level != .bad {
            values[profile.points[value.point].name] = value.value
        }
        return values
    }

    func outcome(
        of device: DescribedDevice,
        _ topic: String,
        _ payload: String,
        isRetained: Bool = false
    ) throws -> MessageOutcome {
        guard let draft = device.draft, case .mqtt(let parameters) = device.address else {
            throw DescriptionError(description: "no draft")
        }
        let (profile, _) = try draft.proven(id: "p")
        let decoder = try MessageDecoder(
            profile: profile,
            device: DeviceID(rawValue: "d"),
            parameters: parameters,
            zonelessOffsetSeconds: 0
        )
        return decoder.decode(
            topic: topic,
            payload: Array(payload.utf8),
            isRetained: isRetained,
            arrival: Tick(milliseconds: 1_790_000_000_000)
        )
    }
}
