internal import Acquisition
internal import CampusModel
internal import Foundation
internal import MQTTTransport
internal import SchoolRecords
internal import Synchronization
internal import TimeSeriesRing

/// Whether the gateway can do its work now, for `/readyz`.
///
/// The records are tried by writing to them, at most every ten seconds however often somebody asks, so that a monitor
/// does not wear out the card.
final class Readiness: Sendable {
    /// What was found.
    struct Facts: Sendable {
        var broker = MQTTConnectionState.connected
        /// When the file system last refused a block of the ring.
        var ringRefused: Tick?
        var stalledBuses: [String] = []
        /// Why the records could not be written, if so.
        var recordsFault: String?
        /// Free bytes where the state is; `nil` when that cannot be told.
        var freeBytes: Int64?
        var now: Tick
    }

    /// With less than this SQLite and the broker may soon fail to grow.
    static let freeBytesMin: Int64 = 16 << 20
    /// How long a refused block of the ring is told.
    private static let ringMilliseconds: Int64 = 60_000
    private static let probeMilliseconds: Int64 = 10_000

    private struct State {
        var ringFailures: UInt64 = 0
        var ringRefused: Tick?
        var probed: Tick?
        var recordsFault: String?
    }

    private let gateway: Gateway
    private let state = Mutex(State())

    init(gateway: Gateway) { self.gateway = gateway }

    /// What keeps the gateway from its work, one line each; empty when it is ready.
    func problems() async -> [String] { Self.problems(await self.facts()) }

    static func problems(_ facts: Facts) -> [String] {
        var problems: [String] = []
        switch facts.broker {
        case .connected: break
        case .connecting: problems.append("not connected to the MQTT broker yet")
        case .disconnected(let reason): problems.append("not connected to the MQTT broker: \(reason)")
        }
        for bus in facts.stalledBuses { problems.append("bus \(bus): its poller does not come round; nothing is read") }
        if let refused = facts.ringRefused, facts.now.rawValue - refused.rawValue < self.ringMilliseconds {
            problems.append("the ring could not be written")
        }
        if let fault = facts.recordsFault { problems.append("the records cannot be written: \(fault)") }
        if let free = facts.freeBytes, free < self.freeBytesMin {
            problems.append("the disk of the state folder has \(free >> 20) MiB left; free some space")
        }
        return problems
    }

    private func facts() async -> Facts {
        let now = self.gateway.clock.now()
        let failures = self.gateway.ring.statistics.writeFailures
        let (ringRefused, isProbing) = self.state.withLock { state in
            if failures > state.ringFailures {
                state.ringFailures = failures
                state.ringRefused = now
            }
            let isDue = state.probed.map { now.rawValue - $0.rawValue >= Self.probeMilliseconds } ?? true
            if isDue { state.probed = now }
            return (state.ringRefused, isDue)
        }
        if isProbing {
            let fault = await self.probe()
            self.state.withLock { $0.recordsFault = fault }
        }
        return Facts(
            broker: self.gateway.receiver.connectionState,
            ringRefused: ringRefused,
            stalledBuses: self.gateway.engine.stalledBuses,
            recordsFault: self.state.withLock { $0.recordsFault },
            freeBytes: Self.freeBytes(self.gateway.state.path),
            now: now
        )
    }

    private func probe() async -> String? {
        do {
            try await self.gateway.records.perform { try $0.checkWriting() }
            return nil
        } catch let error as RecordsError {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    private static func freeBytes(_ path: String) -> Int64? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes?[.systemFreeSize] as? NSNumber)?.int64Value
    }
}
