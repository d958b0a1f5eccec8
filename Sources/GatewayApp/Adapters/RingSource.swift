internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Exporters
internal import Synchronization
internal import TimeSeriesRing

/// Lets exporters read the ring, and tells them what a series is.
final class RingSource: SampleSource {
    private let ring: TimeSeriesRing
    private let known = Mutex(Known())

    private struct Known: Sendable {
        /// By series number; renewed when the ring has more.
        var names: [String] = []
        var site = ""
        var devices: [String: Device] = [:]
    }

    /// A device, and what of it may leave the school.
    private struct Device: Sendable {
        var room: String
        /// The units of its points; devices of one profile share them.
        var units: [String: String]
    }

    init(ring: TimeSeriesRing) { self.ring = ring }

    /// Takes the devices of a configuration; series of others wait until their device is back.
    func update(site: String, devices: [ConfiguredDevice]) {
        var units: [ConfiguredDevice.Revision: [String: String]] = [:]
        var known: [String: Device] = [:]
        for device in devices {
            let shared =
                units[device.profileRevision]
                ?? Dictionary(
                    device.profile.points.filter { $0.privacy == .none }.map { ($0.name, $0.unit) },
                    uniquingKeysWith: { first, _ in first }
                )
            units[device.profileRevision] = shared
            known[device.id.rawValue] = Device(room: device.node.rawValue, units: shared)
        }
        self.known.withLock {
            $0.site = site
            $0.devices = known
        }
    }

    var seriesCount: Int { self.ring.statistics.seriesCount }

    func name(of series: Int) -> String { self.known.withLock { self.name(series, &$0) } }

    func identity(of series: Int) -> SeriesIdentity? {
        self.known.withLock { known in
            let parts = self.name(series, &known).split(separator: "/", maxSplits: 1)
            guard parts.count == 2, let device = known.devices[String(parts[0])],
                let unit = device.units[String(parts[1])]
            else { return nil }
            return SeriesIdentity(
                site: known.site,
                room: device.room,
                device: String(parts[0]),
                point: String(parts[1]),
                unit: unit
            )
        }
    }

    private func name(_ series: Int, _ known: inout Known) -> String {
        if series >= known.names.count { known.names = self.ring.seriesNames }
        return series < known.names.count ? known.names[series] : ""
    }

    func newestTick(of series: Int) -> Tick? { self.ring.latest(Self.index(series))?.tick }

    func read(_ series: Int, after tick: Tick, limit: Int, into samples: inout [Sample]) {
        let range = tick.advanced(byMilliseconds: 1)..<Tick(rawValue: .max)
        self.ring.forEachSample(Self.index(series), in: range) { sample in
            if samples.count >= limit, sample.tick != samples.last?.tick { return false }
            samples.append(sample)
            return true
        }
    }

    func minutes(_ series: Int, after tick: Tick, before end: Tick) -> [Rollup] {
        let first = tick.advanced(byMilliseconds: 1)
        guard first < end else { return [] }
        return self.ring.minuteRollups(Self.index(series), in: first..<end, limit: .max)
    }

    private static func index(_ series: Int) -> SeriesIndex { SeriesIndex(rawValue: UInt32(clamping: series)) }
}
