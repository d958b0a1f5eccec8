internal import CampusModel
internal import DeviceProfile

/// Everything that reading a device needs of its profile, made once and shared by all devices of that profile: a school
/// has hundreds of devices of a few models.
final class ReadingPlan: Sendable {
    let rules: [StorageRule]
    let registers: [PointDefinition.PollClass: RegisterPlan]
    let events: [EventPlan]
    /// The points of each kind of message that is sent regularly; none for other messages.
    let pointsOfMessage: [[Int]]
    /// The conditions of points that count only while another one says so.
    let validities: [Int: [PointDefinition.Validity]]
    /// Points that must keep changing for others to count.
    let heartbeats: Set<Int>
    /// Whether any register has a privacy class.
    let isPersonal: Bool
    private let pointsOfPoll: [PointDefinition.PollClass: [Int]]

    init(_ profile: DeviceProfile) {
        self.rules = profile.points.map(StorageRule.init)
        var registers: [PointDefinition.PollClass: RegisterPlan] = [:]
        if case .modbus = profile.wire {
            for poll in PointDefinition.PollClass.allCases {
                registers[poll] = RegisterPlan(profile: profile, poll: poll)
            }
        }
        self.registers = registers
        self.events = EventPlan.plans(of: profile)
        self.validities = Dictionary(
            uniqueKeysWithValues: profile.points.enumerated()
                .compactMap { index, point in point.validities.isEmpty ? nil : (index, point.validities) }
        )
        self.heartbeats = Set(
            profile.points.flatMap(\.validities)
                .compactMap { validity in
                    if case .changesWithin = validity.test { validity.point } else { nil }
                }
        )
        self.isPersonal =
            profile.points.contains { $0.privacy != .none }
            || profile.events.contains { event in
                guard case .registers(_, _, _, _, _, let fields) = event.capture else { return false }
                return fields.contains { $0.privacy != .none }
            }
        self.pointsOfPoll = Dictionary(grouping: profile.points.indices) { profile.points[$0].poll }
        if case .line = profile.wire {
            // Their requests are polled: a part is a poll class.
            self.pointsOfMessage = []
        } else if let wire = profile.messageWire {
            self.pointsOfMessage = wire.messages.enumerated()
                .map { index, message in
                    guard message.sent == .regularly else { return [] }
                    return profile.points.indices.filter { point in
                        // One that other messages tell, too, is not stale when this one is silent.
                        guard case .payload(let places) = profile.points[point].source else { return false }
                        return places.allSatisfy { $0.messageIndex == index }
                    }
                }
        } else {
            self.pointsOfMessage = []
        }
    }

    /// The points that are told by `part` and nothing else.
    func points(of part: DeviceHealth.Part) -> [Int] {
        switch part {
        case .points(let poll): self.pointsOfPoll[poll] ?? []
        case .message(let index): self.pointsOfMessage[index]
        case .event: []
        }
    }
}
