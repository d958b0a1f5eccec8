internal import Acquisition
internal import CampusModel
internal import Foundation
internal import Logging
internal import SiteConfiguration
internal import TimeSeriesRing

extension Gateway {
    /// The present in UTC, as far as it is known: what the ring and the records are asked with.
    ///
    /// ``Gateway/clock`` tells the stored axis, which later knowledge of the time does not move.
    var now: Tick { self.ring.clock.utc(self.clock.now()) }

    /// An instant of the stored axis in UTC, as far as it is known.
    func utc(_ tick: Tick) -> Tick { self.ring.clock.utc(tick) }

    /// A device as it is now, its instants in UTC as far as it is known.
    func snapshot(_ runtime: DeviceRuntime) -> DeviceSnapshot {
        let clock = self.ring.clock
        let snapshot = runtime.snapshot()
        return clock.isIdentity ? snapshot : snapshot.dated(clock.utc, profile: runtime.device.profile)
    }

    /// Says what became of the ring's past, and what may be missing of it.
    static func tell(of report: RingOpenReport, _ ring: GatewayConfiguration.Ring, _ logger: Logger) {
        switch report.mode {
        case .adopted: logger.notice("the ring's memory was whole; nothing is lost")
        case .recovered where report.journalUnits > 0:
            logger.notice(
                "the ring's memory was gone, as after a power cut; it was read from its journal",
                metadata: [
                    "samples": "\(report.journalSamples)", "units": "\(report.journalUnits)",
                    "missingUnits": "\(report.journalHoles)",
                    "lostAtMost": "\(ring.commit.telemetrySeconds) s before the cut",
                ]
            )
        case .recovered: break
        }
        for problem in report.problems { logger.warning("ring", metadata: ["problem": "\(problem)"]) }
    }

    /// Where the ring lives: its memory in the service's run-time folder, which is in memory itself, where there is
    /// one.
    static func ring(_ ring: GatewayConfiguration.Ring, _ state: StateFolder) -> TimeSeriesRing.Configuration {
        let directory = state.file("ring")
        // systemd sets it for units with RuntimeDirectory=; more than one are separated by colons.
        let runtime = ProcessInfo.processInfo.environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first
        var configuration = TimeSeriesRing.Configuration(
            directory: directory,
            memoryDirectory: ring.memoryFolder ?? runtime.map(String.init) ?? directory,
            seriesMax: ring.seriesMax
        )
        configuration.unitBytes = ring.unitBytes
        configuration.journalBytes = ring.journalBytes
        configuration.rawBytes = ring.rawBytes
        configuration.minuteBytes = ring.minuteBytes
        configuration.quarterBytes = ring.quarterBytes
        return configuration
    }
}
