internal import Acquisition
internal import CampusModel

extension Gateway {
    /// A device that pushes made a request without a message: that alone shows that it is there.
    func heard(_ runtime: DeviceRuntime) {
        runtime.heard(EmptyCollection<DeviceHealth.Part>(), at: self.clock.now())
    }
}
