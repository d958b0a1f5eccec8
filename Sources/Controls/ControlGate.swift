package import CampusModel
package import DeviceProfile

/// Decides which commands may be sent: a value state machine over ticks, without any I/O.
///
/// A lock beats everything; an override beats single commands of others and schedules; a single command beats schedules
/// for ``manualHoldMilliseconds``.
package struct ControlGate: Sendable {
    /// What one device may be sent in a burst, and how long one place of it takes to come back.
    package static let burst = 10.0
    package static let refillMilliseconds = 1_000.0
    /// Commands under way in the whole gateway; more are refused.
    package static let underWayMax = 64
    /// How long schedules leave a control alone after a single command of a person or a program.
    package static let manualHoldMilliseconds: Int64 = 900_000
    /// The longest override.
    package static let holdMillisecondsMax: Int64 = 43_200_000

    private struct Bucket: Sendable {
        var tokens: Double
        var filled: Tick
    }

    package private(set) var holds = ControlHolds()
    private var lastSent: [ControlKey: Tick] = [:]
    private var lastManual: [ControlKey: Tick] = [:]
    private var buckets: [DeviceID: Bucket] = [:]
    private var underWay: Set<DeviceID> = []

    package init() {}

    /// Takes up what an earlier life of the gateway left.
    package mutating func restore(_ holds: ControlHolds, commands: [Command]) {
        self.holds = holds
        for command in commands { self.note(command.key, command.priority, at: command.sent) }
    }

    private mutating func note(_ key: ControlKey, _ priority: CommandRequest.Priority, at tick: Tick) {
        self.lastSent[key] = max(tick, self.lastSent[key] ?? tick)
        if priority != .schedule { self.lastManual[key] = max(tick, self.lastManual[key] ?? tick) }
    }

    /// What would be sent, or why nothing is; changes nothing.
    package func check(
        _ request: CommandRequest,
        device: ControlledDevice?,
        at now: Tick
    ) throws(CommandRefusal) -> (control: ControlDefinition, write: ControlWrite) {
        let (device, control) = try Self.find(request, device)
        guard request.actor.may(use: control) else {
            let roles = (control.roles.map(\.rawValue).sorted() + ["administrator"]).joined(separator: ", ")
            throw CommandRefusal(
                .roleNeeded,
                vi: "Điều khiển này cần vai trò: \(roles).",
                en: "This control needs one of the roles \(roles)."
            )
        }
        try self.checkHolds(request, at: now)
        let write: ControlWrite
        do throws(ControlRefusal) {
            write = try control.write(request.value, parameters: device.parameters)
        } catch {
            throw CommandRefusal(
                .valueRefused,
                vi: "\(control.title.vi): \(error.vi).",
                en: "\(control.title.en): \(error.en)."
            )
        }
        try Self.checkWords(request, control)
        try self.checkRate(request, control, at: now)
        return (control, write)
    }

    /// Admits a command: from now on it counts, and its device is busy until ``finished(_:)``.
    package mutating func admit(
        _ request: CommandRequest,
        device: ControlledDevice?,
        at now: Tick
    ) throws(CommandRefusal) -> (control: ControlDefinition, write: ControlWrite) {
        let found = try self.check(request, device: device, at: now)
        self.underWay.insert(request.key.device)
        self.buckets[request.key.device] = Bucket(tokens: self.tokens(of: request.key.device, at: now) - 1, filled: now)
        self.note(request.key, request.priority, at: now)
        return found
    }

    /// The command of this device is over.
    package mutating func finished(_ device: DeviceID) { self.underWay.remove(device) }

    /// An override is held from now on; the one before it is over.
    ///
    /// Returns the hold.
    package mutating func hold(_ request: CommandRequest, at now: Tick) -> ControlHold {
        let length = min(max(request.holdMilliseconds ?? 3_600_000, 60_000), Self.holdMillisecondsMax)
        let hold = ControlHold(
            actor: request.actor.name,
            reason: request.reason,
            since: now,
            until: now.advanced(byMilliseconds: length),
            value: request.value
        )
        self.holds.overrides[request.key] = hold
        return hold
    }

    /// Undoes ``hold(_:at:)``.
    mutating func putBack(_ hold: ControlHold?, for key: ControlKey) { self.holds.overrides[key] = hold }

    /// Ends an override.
    ///
    /// Returns whether there was one.
    package mutating func release(_ key: ControlKey) -> Bool { self.holds.overrides.removeValue(forKey: key) != nil }

    /// Locks a device: nothing is sent to it until it is unlocked.
    package mutating func lock(_ device: DeviceID, _ hold: ControlHold) { self.holds.locks[device] = hold }

    /// Unlocks a device.
    ///
    /// Returns whether it was locked.
    package mutating func unlock(_ device: DeviceID) -> Bool { self.holds.locks.removeValue(forKey: device) != nil }

    /// Takes away the overrides whose time is over, and gives them.
    package mutating func takeExpired(at now: Tick) -> [ControlKey: ControlHold] {
        let over = self.holds.overrides.filter { !$0.value.holds(at: now) }
        for key in over.keys { self.holds.overrides[key] = nil }
        return over
    }

    /// The override of a control that holds now.
    package func override(of key: ControlKey, at now: Tick) -> ControlHold? {
        self.holds.overrides[key].flatMap { $0.holds(at: now) ? $0 : nil }
    }

    /// Whether a command of the device is under way.
    package func isBusy(_ device: DeviceID) -> Bool { self.underWay.contains(device) }

    private static func find(
        _ request: CommandRequest,
        _ device: ControlledDevice?
    ) throws(CommandRefusal) -> (ControlledDevice, ControlDefinition) {
        guard let device else {
            throw CommandRefusal(
                .unknownDevice,
                vi: "Không có thiết bị “\(request.key.device)”.",
                en: "There is no device “\(request.key.device)”."
            )
        }
        guard !device.isReadOnly else {
            throw CommandRefusal(
                .readOnly,
                vi: "Thiết bị an toàn tính mạng (báo cháy…) chỉ được đọc, không bao giờ được ghi.",
                en: "A device that protects lives (a fire panel) is only ever read."
            )
        }
        guard let control = device.profile.controls.first(where: { $0.name == request.key.control }) else {
            let known = device.profile.controls.map(\.name).joined(separator: ", ")
            throw CommandRefusal(
                .unknownControl,
                vi: "Thiết bị không có điều khiển “\(request.key.control)” (có: \(known.isEmpty ? "không" : known)).",
                en: "The device has no control “\(request.key.control)” (it has: \(known.isEmpty ? "none" : known))."
            )
        }
        return (device, control)
    }

    private func checkHolds(_ request: CommandRequest, at now: Tick) throws(CommandRefusal) {
        if let lock = self.holds.locks[request.key.device] {
            throw CommandRefusal(
                .locked,
                vi: "Thiết bị bị khóa bởi \(lock.actor): \(lock.reason).",
                en: "The device is locked by \(lock.actor): \(lock.reason)."
            )
        }
        if let hold = self.override(of: request.key, at: now), request.priority != .override,
            request.priority == .schedule || hold.actor != request.actor.name
        {
            throw CommandRefusal(
                .overridden,
                vi: "\(hold.actor) đang giữ quyền điều khiển: \(hold.reason). Hãy kết thúc việc giữ trước.",
                en: "\(hold.actor) holds this control: \(hold.reason). End the override first.",
                retryAfterMilliseconds: hold.until.map { $0.rawValue - now.rawValue }
            )
        }
        if request.priority == .schedule, let manual = self.lastManual[request.key],
            now.rawValue - manual.rawValue < Self.manualHoldMilliseconds, now >= manual
        {
            throw CommandRefusal(
                .overridden,
                vi: "Vừa có người điều khiển bằng tay.",
                en: "Somebody used the control by hand a moment ago.",
                retryAfterMilliseconds: Self.manualHoldMilliseconds - (now.rawValue - manual.rawValue)
            )
        }
    }

    private static func checkWords(_ request: CommandRequest, _ control: ControlDefinition) throws(CommandRefusal) {
        guard request.actor.standing != .automation else { return }
        guard (3...200).contains(request.reason.count) else {
            throw CommandRefusal(
                .reasonNeeded,
                vi: "Hãy ghi lý do, từ 3 đến 200 ký tự.",
                en: "Say why, in 3 to 200 characters."
            )
        }
        if let question = control.confirmation, !request.isConfirmed {
            throw CommandRefusal(.confirmationNeeded, vi: question.vi, en: question.en)
        }
    }

    private func checkRate(
        _ request: CommandRequest,
        _ control: ControlDefinition,
        at now: Tick
    ) throws(CommandRefusal) {
        func tooSoon(_ wait: Int64) -> CommandRefusal {
            let seconds = max(1, (wait + 999) / 1_000)
            return CommandRefusal(
                .tooSoon,
                vi: "Quá nhanh: hãy thử lại sau \(seconds) giây.",
                en: "Too soon: try again in \(seconds) s.",
                retryAfterMilliseconds: max(wait, 1)
            )
        }
        if let last = self.lastSent[request.key], now >= last {
            let wait = control.minimumIntervalMilliseconds - (now.rawValue - last.rawValue)
            if wait > 0 { throw tooSoon(wait) }
        }
        guard !self.underWay.contains(request.key.device), self.underWay.count < Self.underWayMax else {
            throw CommandRefusal(
                .busy,
                vi: "Một lệnh trước đó chưa xong; hãy thử lại sau giây lát.",
                en: "An earlier command is still under way; try again in a moment.",
                retryAfterMilliseconds: 1_000
            )
        }
        let tokens = self.tokens(of: request.key.device, at: now)
        if tokens < 1 {
            throw tooSoon(Int64(exactly: ((1 - tokens) * Self.refillMilliseconds).rounded(.up)) ?? 1_000)
        }
    }

    private func tokens(of device: DeviceID, at now: Tick) -> Double {
        guard let bucket = self.buckets[device] else { return Self.burst }
        let passed = Double(max(now.rawValue - bucket.filled.rawValue, 0))
        return min(Self.burst, bucket.tokens + passed / Self.refillMilliseconds)
    }
}
