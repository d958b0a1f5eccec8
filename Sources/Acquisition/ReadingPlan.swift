internal import DeviceProfile

/// Everything that reading a device needs of its profile, made once and shared by all devices of that profile: a school
/// has hundreds of devices of a few models.
final class ReadingPlan: Sendable {
    let rules: [StorageRule]
    let registers: [PointDefinition.PollClass: RegisterPlan]
    let events: [EventPlan]

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
    }
}
