internal import CampusModel
internal import DeviceProfile
internal import Synchronization

/// How the feeding of a device goes.
package struct FeedState: Sendable, Hashable {
    /// Times it was fed.
    package internal(set) var count = 0
    /// Times that could not be done.
    package internal(set) var failures = 0
    /// Whether the last time could not be done.
    package internal(set) var isFailing = false
}

/// Feeds the devices that do something by themselves when nobody does: a watchdog's register written in turn.
///
/// It stops with the gateway, which is its purpose.
final class FailsafeFeeder: Sendable {
    private struct Fed: Sendable {
        var nextMilliseconds: Int64
        var isUnderWay = false
        var state = FeedState()
    }

    /// How often it is looked who is due; the least period of a profile is 500 ms.
    static let lookMilliseconds: Int64 = 250

    private let fed = Mutex<[DeviceID: Fed]>([:])

    /// How the feeding of a device goes; `nil` for one that needs none, or before the first time.
    func state(of device: DeviceID) -> FeedState? { self.fed.withLock { $0[device]?.state } }

    /// Of all devices.
    var states: [DeviceID: FeedState] { self.fed.withLock { $0.mapValues(\.state) } }

    /// The devices that are due at `now`, which are under way from then on.
    func takeDue(
        _ devices: some Sequence<ControlledDevice>,
        at now: Tick
    ) -> [(device: ControlledDevice, write: ControlWrite)] {
        self.fed.withLock { fed in
            var due: [(device: ControlledDevice, write: ControlWrite)] = []
            var known: Set<DeviceID> = []
            for device in devices {
                guard !device.isReadOnly, let feed = device.profile.failsafe?.feed else { continue }
                known.insert(device.id)
                var entry = fed[device.id] ?? Fed(nextMilliseconds: now.rawValue)
                if now.rawValue >= entry.nextMilliseconds, !entry.isUnderWay,
                    let write = feed.write(entry.state.count + entry.state.failures)
                {
                    entry.isUnderWay = true
                    entry.nextMilliseconds = now.rawValue + feed.everyMilliseconds
                    due.append((device, write))
                }
                fed[device.id] = entry
            }
            for id in fed.keys where !known.contains(id) { fed[id] = nil }
            return due
        }
    }

    /// What became of it.
    ///
    /// Returns whether that is news.
    func fed(_ device: DeviceID, isDone: Bool) -> Bool {
        self.fed.withLock { fed in
            guard var entry = fed[device] else { return false }
            let isNews = entry.state.isFailing == isDone || entry.state.count + entry.state.failures == 0
            entry.isUnderWay = false
            entry.state.isFailing = !isDone
            if isDone { entry.state.count += 1 } else { entry.state.failures += 1 }
            fed[device] = entry
            return isNews
        }
    }
}
