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
        var identities: [String: SeriesIdentity] = [:]
    }

    init(ring: TimeSeriesRing) { self.ring = ring }

    /// Takes the devices of a configuration; series of others wait until their device is back.
    func update(site: String, devices: [ConfiguredDevice]) {
        var identities: [String: SeriesIdentity] = [:]
        for device in devices {
            for point in device.profile.points where point.privacy == .none {
                identities[PointID(device: device.id, name: point.name).description] = SeriesIdentity(
                    site: site,
                    room: device.node.rawValue,
                    device: device.id.rawValue,
                    point: point.name,
                    unit: point.unit
                )
            }
        }
        self.known.withLock { $0.identities = identities }
    }

    var seriesCount: Int { self.ring.statistics.seriesCount }

    func name(of series: Int) -> String { self.known.withLock { self.name(series, &$0) } }

    func identity(of series: Int) -> SeriesIdentity? {
        self.known.withLock { $0.identities[self.name(series, &$0)] }
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
