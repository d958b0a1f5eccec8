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
                changed: Array(repeating: false, count: count)
            )
        )
    }

    /// Takes one decoded reply or message of the device.
    ///
    /// - Parameters:
    ///   - values: Decoded values by point index.
    ///   - texts: Decoded texts by point index.
    ///   - tick: When the values were true: the device's clock, or the reply's arrival.
    ///   - received: When they arrived.
    ///   - heartbeatMilliseconds: How long a value inside its deadband may go unstored.
    ///   - batch: Gets the samples to store.
    package func accept(
        values: [DecodedValue],
        texts: [DecodedText],
        tick: Tick,
        received: Tick,
        heartbeatMilliseconds: Int64,
        into batch: inout [SeriesSample]
    ) {
        self.state.withLock { state in
            state.health.heard(at: received)
            state.counters.accepted &+= 1
            for value in values {
                let index = value.point
                let sample = Sample(tick: tick, value: value.value, quality: value.quality)
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
            for text in texts where state.texts[text.point] != text.text {
                state.texts[text.point] = text.text
                state.changed[text.point] = true
            }
            state.hasChanged = true
        }
    }

    /// A request took `nanoseconds` and read `registers` addresses.
    package func answered(latencyNanoseconds: UInt64, registers: Int) {
        self.state.withLock { $0.counters.answered(latencyNanoseconds: latencyNanoseconds, registers: registers) }
    }

    /// A poll failed; when the device goes offline by it, its points are marked bad.
    package func failed(
        _ reason: DeviceHealth.Reason,
        fault: DeviceFault,
        at tick: Tick,
        into batch: inout [SeriesSample]
    ) {
        self.state.withLock { state in
            state.counters.failures &+= 1
            state.fault = fault
            let wentOffline = state.health.failed(reason, at: tick)
            state.hasChanged = true
            if wentOffline { self.markAll(&state, .bad(.communication), at: tick, into: &batch) }
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

    /// The event registers were read; that alone shows that the device is there.
    package func polledEvents(at tick: Tick) {
        self.state.withLock { state in
            if state.health.state != .online { state.hasChanged = true }
            state.health.heard(at: tick)
        }
    }

    /// A payload broke the profile; nothing of it was stored.
    package func violated(fault: DeviceFault, at tick: Tick, into batch: inout [SeriesSample]) {
        self.state.withLock { state in
            state.counters.violations &+= 1
            state.fault = fault
            state.hasChanged = true
            if state.health.violated(at: tick) { self.markAll(&state, .bad(.malformed), at: tick, into: &batch) }
        }
    }

    /// The device's last will arrived.
    package func availabilityChanged(isOnline: Bool, at tick: Tick, into batch: inout [SeriesSample]) {
        self.state.withLock { state in
            state.hasChanged = true
            if isOnline {
                state.health.heard(at: tick)
            } else if state.health.saidGoodbye(at: tick) {
                self.markAll(&state, .bad(.communication), at: tick, into: &batch)
            }
        }
    }

    /// Time passed; a silent publisher becomes late and then offline.
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
            if wentOffline { self.markAll(&state, .bad(.stale), at: tick, into: &batch) }
        }
    }

    private func markAll(
        _ state: inout State,
        _ quality: Quality,
        at tick: Tick,
        into batch: inout [SeriesSample]
    ) {
        for index in state.points.indices {
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
