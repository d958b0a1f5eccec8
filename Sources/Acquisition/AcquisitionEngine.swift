package import CampusModel
package import DeviceProfile
internal import FirmwareContract
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// A bus with the adapter that speaks on it.
package struct BusBinding: Sendable {
    package var id: String
    /// The endpoint and its settings as text: a bus whose text is unchanged keeps its connection on reload.
    package var endpoint: String
    package var reader: any RegisterReading

    package init(id: String, endpoint: String, reader: any RegisterReading) {
        self.id = id
        self.endpoint = endpoint
        self.reader = reader
    }
}

/// Everything that acquisition is told by the configuration.
package struct AcquisitionConfiguration: Sendable {
    package var devices: [ConfiguredDevice]
    package var buses: [BusBinding]
    package var lines: [LineBinding]
    /// All profiles there are, for suggestions.
    package var profiles: [DeviceProfile]

    package init(
        devices: [ConfiguredDevice],
        buses: [BusBinding],
        lines: [LineBinding] = [],
        profiles: [DeviceProfile] = []
    ) {
        self.devices = devices
        self.buses = buses
        self.lines = lines
        self.profiles = profiles
    }
}

/// Runs the polls and the health of all devices, and hands messages to ``MessageIngest``.
///
/// ``apply(_:)`` may be called while it runs: devices, buses and routes that did not change keep their state, values
/// and connections.
package final class AcquisitionEngine: Service, Sendable {
    package let ingest: MessageIngest
    package let quarantine: Quarantine
    private let store: any SampleStoring
    private let events: any EventStoring
    private let clock: any TickClock
    private let timer: any PollTimer
    private let options: PollingOptions
    private let logger: Logger
    private let table = Mutex(DeviceTable())
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    private struct DeviceTable: Sendable {
        var runtimes: [DeviceRuntime] = []
        var byID: [DeviceID: DeviceRuntime] = [:]
        var pollers: [String: (endpoint: String, poller: any Poller)] = [:]
        var filters: [String] = []

        /// The poller of a bus, if it may go on.
        func poller(of bus: String, endpoint: String) -> (any Poller)? {
            self.pollers[bus].flatMap { $0.endpoint == endpoint ? $0.poller : nil }
        }
    }

    package init(
        store: any SampleStoring,
        events: any EventStoring,
        clock: any TickClock,
        timer: any PollTimer = SystemPollTimer(),
        options: PollingOptions,
        quarantineEntries: Int,
        payloadBytesMax: Int = 65_536,
        logger: Logger
    ) {
        self.store = store
        self.events = events
        self.clock = clock
        self.timer = timer
        self.options = options
        self.logger = logger
        self.quarantine = Quarantine(capacity: quarantineEntries)
        self.ingest = MessageIngest(
            store: store,
            events: events,
            clock: clock,
            quarantine: self.quarantine,
            options: options,
            payloadBytesMax: payloadBytesMax,
            logger: logger
        )
        (self.changes, self.changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a new configuration.
    ///
    /// Returns what could not be done, one line a problem.
    package func apply(_ configuration: AcquisitionConfiguration) -> [String] {
        var problems: [String] = []
        let now = self.clock.now()
        let old = self.table.withLock { $0 }
        var runtimes: [DeviceRuntime] = []
        var plans: [String: [ConfiguredDevice.Revision: ReadingPlan]] = [:]
        for device in configuration.devices {
            if let known = old.byID[device.id], known.device.isSame(as: device) {
                runtimes.append(known)
                continue
            }
            do {
                let plan = plans[device.profile.id]?[device.profileRevision] ?? ReadingPlan(device.profile)
                plans[device.profile.id, default: [:]][device.profileRevision] = plan
                runtimes.append(
                    DeviceRuntime(device: device, series: try self.series(of: device), plan: plan, now: now)
                )
            } catch {
                problems.append("device \(device.id): \(error)")
            }
        }
        let routes = MessageRoutes(runtimes: runtimes)
        problems += routes.problems.map { "device \($0.device): \($0.message)" }
        self.ingest.update(routes: routes, suggester: ProfileSuggester(profiles: configuration.profiles))
        self.quarantine.forgetSuggestions(except: Set(configuration.profiles.map(\.id)))

        var pollers: [String: (endpoint: String, poller: any Poller)] = [:]
        for bus in configuration.buses {
            let members = runtimes.filter { if case .modbus(bus.id, _) = $0.device.address { true } else { false } }
            let poller =
                old.poller(of: bus.id, endpoint: bus.endpoint)
                ?? BusPoller(
                    bus: bus.id,
                    reader: bus.reader,
                    store: self.store,
                    events: self.events,
                    clock: self.clock,
                    timer: self.timer,
                    options: self.options,
                    logger: self.logger
                )
            poller.update(devices: members)
            pollers[bus.id] = (bus.endpoint, poller)
        }
        for line in configuration.lines {
            let members = runtimes.filter { if case .line(line.id, _) = $0.device.address { true } else { false } }
            let poller =
                old.poller(of: line.id, endpoint: line.endpoint)
                ?? LinePoller(
                    reader: line.reader,
                    store: self.store,
                    clock: self.clock,
                    timer: self.timer,
                    options: self.options
                )
            poller.update(devices: members)
            pollers[line.id] = (line.endpoint, poller)
        }
        let newTable = DeviceTable(
            runtimes: runtimes,
            byID: Dictionary(runtimes.map { ($0.device.id, $0) }, uniquingKeysWith: { first, _ in first }),
            pollers: pollers,
            filters: routes.filters
        )
        self.table.withLock { $0 = newTable }
        self.changed.yield()
        return problems
    }

    private func series(of device: ConfiguredDevice) throws -> [SeriesIndex?] {
        try device.profile.points.map { point in
            guard !point.isHidden, point.kind != .text, point.privacy == .none else { return nil }
            return try self.store.series(
                named: PointID(device: device.id, name: point.name).description,
                hasDeviceClock: device.profile.hasDeviceClock(point),
                durability: point.durability
            )
        }
    }

    /// All devices, in the order of the configuration.
    package var devices: [DeviceRuntime] { self.table.withLock { $0.runtimes } }

    /// The device with this identifier.
    package func device(_ id: DeviceID) -> DeviceRuntime? { self.table.withLock { $0.byID[id] } }

    /// The topic filters of all devices that publish.
    package var topicFilters: [String] { self.table.withLock { $0.filters } }

    /// Polling periods that were skipped because a bus was still busy, by bus.
    package var skippedPeriods: [String: UInt64] {
        self.table.withLock { table in table.pollers.mapValues { $0.poller.skippedPeriods } }
    }

    /// Buses whose poller has not come round for `missedMax` periods of the normal class, 30 s at least: it is stuck or
    /// has ended, so nothing of them is read.
    package var stalledBuses: [String] {
        let normal = self.options.periodMilliseconds(of: .normal) * self.options.missedMax
        let patience = UInt64(max(normal, 30_000)) * 1_000_000
        let now = self.timer.nowNanoseconds
        return self.table.withLock { table in
            table.pollers.filter { now > $0.value.poller.lastRoundNanoseconds &+ patience }.keys.sorted()
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watchHealth() }
                await self.supervisePollers()
                group.cancelAll()
            }
        }
    }

    /// Starts a task for each new poller and ends those that are gone, until cancelled.
    private func supervisePollers() async {
        await withTaskGroup(of: Void.self) { group in
            var running: [ObjectIdentifier: Task<Void, Never>] = [:]
            var iterator = self.changes.makeAsyncIterator()
            repeat {
                let wanted = self.table.withLock { $0.pollers.values.map(\.poller) }
                let wantedIDs = Set(wanted.map { ObjectIdentifier($0) })
                for (id, task) in running where !wantedIDs.contains(id) {
                    task.cancel()
                    running[id] = nil
                }
                for poller in wanted where running[ObjectIdentifier(poller)] == nil {
                    // On the bus's own thread: what it reads is decoded where it arrived.
                    let task = Task(executorPreference: poller.executor) { await poller.run() }
                    running[ObjectIdentifier(poller)] = task
                    group.addTask {
                        await withTaskCancellationHandler {
                            await task.value
                        } onCancel: {
                            task.cancel()
                        }
                    }
                }
            } while await iterator.next() != nil
            group.cancelAll()
        }
    }

    /// Once a second: publishers that are silent for too long become late, then offline.
    private func watchHealth() async {
        var next = self.timer.nowNanoseconds
        var batch: [SeriesSample] = []
        while !Task.isCancelled {
            next &+= 1_000_000_000
            do { try await self.timer.sleep(untilNanoseconds: next) } catch { return }
            let now = self.clock.now()
            batch.removeAll(keepingCapacity: true)
            for runtime in self.devices {
                guard runtime.device.address.messageParameters != nil else { continue }
                runtime.waited(
                    until: now,
                    periodMilliseconds: runtime.device.reportMilliseconds,
                    missedMax: self.options.missedMax,
                    into: &batch
                )
            }
            // Nobody waits for an acknowledgement of these.
            batch.withUnsafeBufferPointer { _ = self.store.append(contentsOf: $0) }
        }
    }
}

extension ConfiguredDevice {
    /// Whether the two are read in the same way, so that a running device can go on.
    ///
    /// Profiles are compared by what their file said.
    func isSame(as other: ConfiguredDevice) -> Bool {
        self.id == other.id && self.node == other.node && self.name == other.name && self.address == other.address
            && self.reportMilliseconds == other.reportMilliseconds
            && self.zonelessOffsetSeconds == other.zonelessOffsetSeconds
            && self.profileRevision == other.profileRevision && self.contract?.revision == other.contract?.revision
    }
}
