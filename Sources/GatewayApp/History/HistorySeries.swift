internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import TimeSeriesRing

/// A series as an answer tells it.
struct HistorySeries: Sendable {
    /// `device/point`.
    var name: String
    var index: SeriesIndex
    /// UCUM; `1` where the device is not configured any more.
    var unit: String
    /// What dates it; `nil` where its ticks are UTC.
    var clock: ClockMap?
}

extension Gateway {
    /// The series of a point, as long as the ring has it.
    func historySeries(_ name: String) -> HistorySeries? {
        let parts = name.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let index = self.ring.existingSeries(named: name) else { return nil }
        let profile = self.engine.device(DeviceID(rawValue: String(parts[0])))?.device.profile
        let point = profile?.points.first { $0.name == parts[1] }
        let clock = self.ring.clock
        let hasDeviceClock = point.map { profile?.hasDeviceClock($0) == true } ?? false
        return HistorySeries(
            name: name,
            index: index,
            unit: point?.unit ?? "1",
            clock: clock.isIdentity || hasDeviceClock ? nil : clock
        )
    }

    /// The series of a device, in the order of its profile.
    func historySeries(of runtime: DeviceRuntime) -> [HistorySeries] {
        runtime.device.profile.points.compactMap { point in
            guard point.kind != .text, point.privacy == .none, !point.isHidden else { return nil }
            return self.historySeries(PointID(device: runtime.device.id, name: point.name).description)
        }
    }
}
