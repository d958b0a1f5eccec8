package import DeviceProfile

/// One request to a line device.
package struct LineAsk: Sendable {
    package var unit: UInt8
    /// How the device is spoken to.
    package var wire: LineWire
    /// Index into the wire's requests.
    package var request: Int

    package init(unit: UInt8, wire: LineWire, request: Int) {
        self.unit = unit
        self.wire = wire
        self.request = request
    }
}

/// What came back for one request.
package enum LineOutcome: Sendable {
    /// The reply's frame; received when `CLOCK_BOOTTIME` read `receivedNanoseconds`.
    case frame([UInt8], receivedNanoseconds: UInt64, latencyNanoseconds: UInt64)
    case failure(BusFailure)
}

/// A line endpoint as acquisition needs it.
///
/// The app supplies the adapter; it must never block the caller's thread.
package protocol LineReading: Sendable {
    /// Where the poller of this endpoint runs best; `nil` for anywhere.
    var executor: (any TaskExecutor)? { get }
    /// Asks everything in order, with one outcome each.
    func ask(_ requests: [LineAsk]) async -> [LineOutcome]
}

/// A line endpoint with the adapter that speaks on it.
package struct LineBinding: Sendable {
    package var id: String
    /// The endpoint and its settings as text: a bus whose text is unchanged keeps its connection on reload.
    package var endpoint: String
    package var reader: any LineReading

    package init(id: String, endpoint: String, reader: any LineReading) {
        self.id = id
        self.endpoint = endpoint
        self.reader = reader
    }
}

/// What polls the devices of one bus, whatever is spoken on it.
protocol Poller: AnyObject, Sendable {
    /// Where ``run()`` runs best.
    var executor: (any TaskExecutor)? { get }
    /// Periods that were skipped because the bus was still busy.
    var skippedPeriods: UInt64 { get }
    /// When the poller last came round to look what is due; when made, at first.
    var lastRoundNanoseconds: UInt64 { get }
    /// Takes a new list of devices; those that were there already keep their phase from the next period on.
    func update(devices: [DeviceRuntime])
    /// Polls until the task is cancelled.
    func run() async
}

extension BusPoller: Poller {}
extension LinePoller: Poller {}
