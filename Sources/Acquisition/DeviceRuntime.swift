package import CampusModel
package import DeviceProfile
internal import Synchronization

/// One configured device while the gateway runs: its health, its newest values, its counters.
///
/// Several threads meet here (a bus or the MQTT loop, the health monitor, pages), so the state is behind a lock that is
/// taken once a batch, never once a sample.
package final class DeviceRuntime: Sendable {
    package let device: ConfiguredDevice
    /// The ring's series of each point of the profile; `nil` for hidden and text points.
    package let series: [SeriesIndex?]
    let plan: ReadingPlan
    private let state: Mutex<State>

    private struct State: Sendable {
        var health: DeviceHealth
        var points: [PointState]
        var texts: [Int: String] = [:]
        var changed: [Bool]
        var hasChanged = false
        var counters = DeviceCounters()
        var fault: DeviceFault?
        /// When each kind of message came last.
        var messages: [Tick?]
        /// The value of each point that must keep changing, and since when it stands still.
        var heartbeats: [Int: (value: Double, since: Tick)] = [:]

        mutating func heard(_ parts: some Sequence<DeviceHealth.Part>, at tick: Tick) {
            self.health.heard(parts, at: tick)
            for case .message(let index) in parts { self.messages[index] = tick }
        }
    }

    init(device: ConfiguredDevice, series: [SeriesIndex?], plan: ReadingPlan, now: Tick) {
        precondition(series.count == device.profile.points.count, "one entry per point")
        self.device = device
        self.series = series
        self.plan = plan
        let count = device.profile.points.count
        self.state = Mutex(
            State(
                health: DeviceHealth(since: now),
                points: Array(repeating: PointState(), count: count),
                changed: Array(repeating: false, count: count),
                messages: Array(repeating: nil, count: plan.pointsOfMessage.count)
            )
        )
    }

    /// Takes one decoded reply or message of the device.
    ///
    /// - Parameters:
    ///   - values: Decoded values by point index.
    ///   - texts: Decoded texts by point index.
    ///   - parts: What of the device was heard.
    ///   - tick: When the values were true: the device's clock, or the reply's arrival.
    ///   - received: When they arrived.
    ///   - isHistory: What was true then, not now: it is stored, and the newest value stays what it is.
    ///   - heartbeatMilliseconds: How long a value inside its deadband may go unstored.
    ///   - batch: Gets the samples to store.
    package func accept(
        values: [DecodedValue],
        texts: [DecodedText],
        parts: some Sequence<DeviceHealth.Part>,
        tick: Tick,
        received: Tick,
        isHistory: Bool = false,
        heartbeatMilliseconds: Int64,
        into batch: inout [SeriesSample]
    ) {
        self.state.withLock { state in
            state.heard(parts, at: received)
            state.counters.accepted &+= 1
            if isHistory {
                self.store(history: values, tick: tick, into: &batch)
                return
            }
            if !self.plan.heartbeats.isEmpty { self.noteHeartbeats(values, at: received, in: &state) }
            for value in values {
                let index = value.point
                var sample = Sample(tick: tick, value: value.value, quality: value.quality)
                if sample.quality.level != .bad, !self.isValid(value, among: values, state, at: received) {
                    sample.quality = .bad(.notReady)
                }
                let stored = state.points[index]
                    .accept(
                        sample,
                        received: received,
                        rule: self.plan.rules[index],
                        heartbeatMilliseconds: heartbeatMilliseconds
                    )
                guard let stored else { continue }
                state.changed[index] = true
                if let series = self.series[index] { batch.append(SeriesSample(series: series, sample: stored)) }
            }
            for text in texts {
                if state.texts[text.point] != text.text || state.points[text.point].latest?.quality.isGood != true {
                    state.changed[text.point] = true
                }
                state.texts[text.point] = text.text
                state.points[text.point].told(at: tick, received: received)
            }
            state.hasChanged = true
        }
    }

    /// Stores what a device tells of times that are over.
    private func store(history values: [DecodedValue], tick: Tick, into batch: inout [SeriesSample]) {
        for value in values {
            guard let series = self.series[value.point] else { continue }
            let sample = Sample(tick: tick, value: value.value, quality: value.quality)
            batch.append(SeriesSample(series: series, sample: sample))
        }
    }

    private func noteHeartbeats(_ values: [DecodedValue], at tick: Tick, in state: inout State) {
        for value in values where self.plan.heartbeats.contains(value.point) && value.quality.level != .bad {
            if state.heartbeats[value.point]?.value == value.value { continue }
            state.heartbeats[value.point] = (value.value, tick)
        }
    }

    /// Whether the points that say when this one counts do so: those that came with an earlier message, and those that
    /// must keep changing.
    ///
    /// For the rest the decoder has looked at the values of one message.
    private func isValid(
        _ value: DecodedValue,
        among values: [DecodedValue],
        _ state: borrowing State,
        at tick: Tick
    ) -> Bool {
        guard let validities = self.plan.validities[value.point] else { return true }
        for validity in validities {
            if case .changesWithin(let milliseconds) = validity.test {
                guard let heartbeat = state.heartbeats[validity.point],
                    tick.rawValue - heartbeat.since.rawValue <= milliseconds
                else { return false }
            } else if !values.contains(where: { $0.point == validity.point }) {
                guard let condition = state.points[validity.point].latest, condition.quality.level != .bad,
                    validity.accepts(condition.value)
                else { return false }
            }
        }
        return true
    }

    /// A request took `nanoseconds` and read `registers` addresses.
    package func answered(latencyNanoseconds: UInt64, registers: Int) {
        self.state.withLock { $0.counters.answered(latencyNanoseconds: latencyNanoseconds, registers: registers) }
    }

    /// The poll of a part failed; values that are too old by it are marked bad.
    ///
    /// - Parameters:
    ///   - part: What was polled.
    ///   - reason: Why there is no answer.
    ///   - wasAsked: Whether the device had a chance to answer; if not, the fault that is known tells more.
    package func failed(
        _ part: DeviceHealth.Part,
        _ reason: DeviceHealth.Reason,
        wasAsked: Bool,
        fault: DeviceFault,
        missedMax: Int64,
        at tick: Tick,
        into batch: inout [SeriesSample]
    ) {
        self.state.withLock { state in
            if wasAsked { state.counters.failures &+= 1 }
            if wasAsked || state.fault == nil { state.fault = fault }
            state.hasChanged = true
            switch state.health.failed(part, reason, missedMax: missedMax, at: tick) {
            case .none: break
            case .partIsMissing:
                self.mark(&state, self.plan.points(of: part), .bad(.communication), at: tick, into: &batch)
            case .wentOffline:
                self.mark(&state, state.points.indices, .bad(.communication), at: tick, into: &batch)
            }
        }
    }

    /// Some of a poll's reads failed: the device is there, but not all of it.
    package func partlyFailed(fault: DeviceFault) {
        self.state.withLock { state in
            state.counters.failures &+= 1
            state.fault = fault
            state.hasChanged = true
        }
    }

    /// Something came that has no values; that alone shows that the device is there.
    package func heard(_ parts: some Sequence<DeviceHealth.Part>, at tick: Tick) {
        self.state.withLock { state in
            if state.health.state != .online { state.hasChanged = true }
            state.heard(parts, at: tick)
        }
    }

    /// A payload broke the profile; nothing of it was stored.
    package func violated(fault: DeviceFault, at tick: Tick, into batch: inout [SeriesSample]) {
        self.state.withLock { state in
            state.counters.violations &+= 1
            state.fault = fault
            state.hasChanged = true
            if state.health.violated(at: tick) {
                self.mark(&state, state.points.indices, .bad(.malformed), at: tick, into: &batch)
            }
        }
    }

    /// A payload broke the contract of its firmware; nothing of it was decoded, and the last good values stay.
    package func brokeContract(fault: DeviceFault, at tick: Tick) {
        self.state.withLock { state in
            state.counters.violations &+= 1
            state.fault = fault
            state.hasChanged = true
            state.health.brokeContract(at: tick)
        }
    }

    /// The device's last will arrived.
    package func availabilityChanged(isOnline: Bool, at tick: Tick, into batch: inout [SeriesSample]) {
        self.state.withLock { state in
            state.hasChanged = true
            if isOnline {
                state.health.heard(at: tick)
            } else if state.health.saidGoodbye(at: tick) {
                self.mark(&state, state.points.indices, .bad(.communication), at: tick, into: &batch)
            }
        }
    }

    /// Time passed; a silent publisher becomes late and then offline, and what a message told that no longer comes is
    /// marked stale.
    package func waited(
        until tick: Tick,
        periodMilliseconds: Int64,
        missedMax: Int64,
        into batch: inout [SeriesSample]
    ) {
        self.state.withLock { state in
            let before = state.health.state
            let wentOffline = state.health.waited(
                until: tick,
                periodMilliseconds: periodMilliseconds,
                missedMax: missedMax
            )
            if state.health.state != before { state.hasChanged = true }
            if wentOffline {
                self.mark(&state, state.points.indices, .bad(.stale), at: tick, into: &batch)
            } else {
                self.markSilentMessages(&state, periodMilliseconds * missedMax, at: tick, into: &batch)
            }
        }
    }

    private func markSilentMessages(
        _ state: inout State,
        _ patienceMilliseconds: Int64,
        at tick: Tick,
        into batch: inout [SeriesSample]
    ) {
        for (message, points) in self.plan.pointsOfMessage.enumerated() where !points.isEmpty {
            guard let heard = state.messages[message], tick.rawValue - heard.rawValue > patienceMilliseconds,
                state.health.missed(.message(message), at: tick)
            else { continue }
            state.hasChanged = true
            self.mark(&state, points, .bad(.stale), at: tick, into: &batch)
        }
    }

    private func mark(
        _ state: inout State,
        _ points: some Sequence<Int>,
        _ quality: Quality,
        at tick: Tick,
        into batch: inout [SeriesSample]
    ) {
        for index in points {
            guard let sample = state.points[index].mark(quality, at: tick) else { continue }
            state.changed[index] = true
            if let series = self.series[index] { batch.append(SeriesSample(series: series, sample: sample)) }
        }
    }

    /// Everything that pages and the API show of the device.
    package func snapshot() -> DeviceSnapshot {
        self.state.withLock { state in
            DeviceSnapshot(
                id: self.device.id,
                node: self.device.node,
                name: self.device.name,
                profile: self.device.profile.id,
                health: state.health,
                counters: state.counters,
                fault: state.fault,
                points: self.pointSnapshots(of: state, onlyChanged: false)
            )
        }
    }

    /// The device's health alone.
    package var health: DeviceHealth { self.state.withLock { $0.health } }

    /// Points that people see and that have no usable value now.
    package var badPointCount: Int {
        self.state.withLock { state in
            state.points.indices.count { index in
                !self.device.profile.points[index].isHidden && state.points[index].latest?.quality.level == .bad
            }
        }
    }

    /// The points that changed since the last call; `nil` when nothing did.
    ///
    /// For the one live feed.
    package func takeChanges() -> (health: DeviceHealth, points: [PointSnapshot])? {
        self.state.withLock { state in
            guard state.hasChanged else { return nil }
            let points = self.pointSnapshots(of: state, onlyChanged: true)
            for index in state.changed.indices { state.changed[index] = false }
            state.hasChanged = false
            return (state.health, points)
        }
    }

    /// The newest state of one point.
    package func point(at index: Int) -> PointSnapshot? {
        guard self.device.profile.points.indices.contains(index) else { return nil }
        return self.state.withLock { self.pointSnapshot(index, of: $0) }
    }

    private func pointSnapshots(of state: borrowing State, onlyChanged: Bool) -> [PointSnapshot] {
        var result: [PointSnapshot] = []
        for index in state.points.indices where !onlyChanged || state.changed[index] {
            if self.device.profile.points[index].isHidden { continue }
            result.append(self.pointSnapshot(index, of: state))
        }
        return result
    }

    private func pointSnapshot(_ index: Int, of state: borrowing State) -> PointSnapshot {
        PointSnapshot(
            id: PointID(device: self.device.id, name: self.device.profile.points[index].name),
            index: index,
            latest: state.points[index].latest,
            received: state.points[index].received,
            text: state.texts[index]
        )
    }
}
