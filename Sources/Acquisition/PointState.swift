package import CampusModel
internal import DeviceProfile

/// What of a point's definition decides whether a value is stored; small, because it is asked for every value.
struct StorageRule: Sendable {
    var maximumChangePerSecond: Double?
    /// In the point's unit; 0 stores every value.
    var deadband: Double

    init(_ definition: PointDefinition) {
        self.maximumChangePerSecond = definition.maximumChangePerSecond
        self.deadband = definition.deadband
    }
}

/// What is known of one point now.
package struct PointState: Sendable, Hashable {
    /// The newest value with its own time; `nil` until one arrived.
    package private(set) var latest: Sample?
    /// When the newest value arrived.
    package private(set) var received: Tick?
    private var stored: Sample?
    private var lastGood: Sample?

    package init() {}

    /// Takes a decoded value; returns the sample to store, or `nil` when it says nothing new.
    ///
    /// A value with quality bad is stored once when it becomes bad, not at every poll. A value inside its deadband is
    /// stored again after `heartbeatMilliseconds`.
    mutating func accept(
        _ sample: Sample,
        received: Tick,
        rule: StorageRule,
        heartbeatMilliseconds: Int64
    ) -> Sample? {
        var sample = sample
        if sample.quality.isGood, let limit = rule.maximumChangePerSecond, let lastGood {
            let milliseconds = sample.tick.rawValue &- lastGood.tick.rawValue
            if milliseconds > 0, abs(sample.value - lastGood.value) * 1_000 > limit * Double(milliseconds) {
                sample.quality = .uncertain(.rateOfChange)
            }
        }
        if sample.quality.level == .bad { sample.value = 0 }
        if sample.tick >= (self.latest?.tick ?? sample.tick) {
            self.latest = sample
            self.received = received
            // Not an unbelievable one: the value after a spike is measured against the one before it. A step that stays
            // is believed as soon as the time that it takes has passed.
            if sample.quality.isGood { self.lastGood = sample }
        }
        guard self.isWorthStoring(sample, rule: rule, heartbeatMilliseconds: heartbeatMilliseconds) else {
            return nil
        }
        self.stored = sample
        return sample
    }

    /// Takes the arrival of a text, which is good and has no sample to store.
    mutating func told(at tick: Tick, received: Tick) {
        self.latest = Sample(tick: tick, value: 0, quality: .good)
        self.received = received
    }

    /// Marks the point bad from `tick` on; returns the sample to store, or `nil` when it was so already or never had a
    /// value.
    mutating func mark(_ quality: Quality, at tick: Tick) -> Sample? {
        guard let latest, latest.quality != quality else { return nil }
        let sample = Sample(tick: max(tick, latest.tick.advanced(byMilliseconds: 1)), value: 0, quality: quality)
        self.latest = sample
        self.stored = sample
        return sample
    }

    private func isWorthStoring(
        _ sample: Sample,
        rule: StorageRule,
        heartbeatMilliseconds: Int64
    ) -> Bool {
        guard let stored, sample.quality == stored.quality else { return true }
        if sample.quality.level != .bad {
            guard rule.deadband > 0 else { return true }
            if abs(sample.value - stored.value) > rule.deadband { return true }
        }
        let age = sample.tick.rawValue &- stored.tick.rawValue
        return age >= heartbeatMilliseconds || age < 0
    }
}
