package import CampusModel
package import DeviceProfile

/// What a device did since the gateway started.
package struct DeviceCounters: Sendable, Hashable {
    /// Replies or messages that became values.
    package internal(set) var accepted: UInt64 = 0
    /// Polls that failed.
    package internal(set) var failures: UInt64 = 0
    /// Payloads that broke the profile.
    package internal(set) var violations: UInt64 = 0
    /// Requests answered, and the addresses they read.
    package internal(set) var requests: UInt64 = 0
    package internal(set) var registers: UInt64 = 0
    /// The smoothed latency of a request, nanoseconds; 0 before the first.
    package internal(set) var latencyNanoseconds: UInt64 = 0
    package internal(set) var latencyMaximumNanoseconds: UInt64 = 0

    package init() {}

    mutating func answered(latencyNanoseconds: UInt64, registers: Int) {
        self.requests &+= 1
        self.registers &+= UInt64(registers)
        self.latencyMaximumNanoseconds = max(self.latencyMaximumNanoseconds, latencyNanoseconds)
        self.latencyNanoseconds =
            self.latencyNanoseconds == 0
            ? latencyNanoseconds
            : self.latencyNanoseconds - self.latencyNanoseconds / 8 + latencyNanoseconds / 8
    }

    /// Failed polls and broken payloads as a share of everything tried, 0–1.
    package var errorRate: Double {
        let bad = Double(self.failures) + Double(self.violations)
        let all = bad + Double(self.accepted)
        return all > 0 ? bad / all : 0
    }
}

/// The last thing that went wrong with a device, with the bytes that did it.
package struct DeviceFault: Sendable, Hashable {
    package var tick: Tick
    /// A short fixed word, usable as a metric label.
    package var reason: String
    /// What the operator reads.
    package var message: String
    /// The request and reply in hexadecimal, or the payload; at most 2048 characters, personal fields masked.
    package var frame: String
    /// How a payload differs from its contract, line by line; empty for every other fault.
    package var differences: [LocalizedText]

    package init(
        tick: Tick,
        reason: String,
        message: String,
        frame: String,
        differences: [LocalizedText] = []
    ) {
        self.tick = tick
        self.reason = reason
        self.message = message
        self.frame = String(frame.prefix(2_048))
        self.differences = differences
    }
}

/// One point as pages and the API show it.
package struct PointSnapshot: Sendable, Hashable {
    package var id: PointID
    /// Index into the profile's points.
    package var index: Int
    package var latest: Sample?
    package var received: Tick?
    /// The text of a text point.
    package var text: String?
}

/// One device as pages and the API show it.
package struct DeviceSnapshot: Sendable, Hashable {
    package var id: DeviceID
    package var node: NodeID
    package var name: LocalizedText
    package var profile: String
    package var health: DeviceHealth
    package var counters: DeviceCounters
    package var fault: DeviceFault?
    package var points: [PointSnapshot]

    /// The same with its instants told by `utc`; values that the device dated itself are left alone.
    package func dated(_ utc: (Tick) -> Tick, profile: DeviceProfile) -> DeviceSnapshot {
        var snapshot = self
        snapshot.health = self.health.dated(utc)
        if let fault = self.fault { snapshot.fault?.tick = utc(fault.tick) }
        for index in snapshot.points.indices {
            snapshot.points[index].received = self.points[index].received.map(utc)
            guard let latest = self.points[index].latest,
                !profile.hasDeviceClock(profile.points[self.points[index].index])
            else { continue }
            snapshot.points[index].latest?.tick = utc(latest.tick)
        }
        return snapshot
    }
}
