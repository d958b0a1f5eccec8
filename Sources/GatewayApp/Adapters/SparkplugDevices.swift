internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import Exporters

extension SparkplugDevice {
    /// A device with the points that the ring keeps.
    init(_ runtime: DeviceRuntime) {
        let snapshot = runtime.snapshot()
        let definitions = runtime.device.profile.points
        self.init(
            id: snapshot.id.rawValue,
            isAlive: snapshot.health.state != .offline,
            points: snapshot.points.filter { runtime.series[$0.index] != nil }
                .map { Point(name: definitions[$0.index].name, latest: $0.latest) }
        )
    }
}
