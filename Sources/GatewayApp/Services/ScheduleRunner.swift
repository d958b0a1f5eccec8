internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import Foundation
internal import Logging
internal import SchoolRecords
internal import ServiceLifecycle
internal import SiteConfiguration
internal import Synchronization

/// Runs the schedules of `site.yaml`: looks once a second what is due, writes that down, then sends.
final class ScheduleRunner: Service, Sendable {
    /// Devices that one run is sent to at the same time.
    private static let widthMax = 16
    /// How often a command is tried that came too soon or to a busy device.
    private static let triesMax = 5

    private let gateway: Gateway
    private let book: Mutex<ScheduleBook>
    /// Held while the book is written: a later state is never overwritten by an earlier one.
    private let writing = Mutex(())
    private let underWay = Mutex<Set<String>>([])

    /// - Throws: When the records cannot be read.
    init(gateway: Gateway) throws {
        self.gateway = gateway
        let stored = try gateway.records.setting(Records.schedulesKey)
        do {
            self.book = Mutex(try stored.map { try StoredSchedules(json: $0).book } ?? ScheduleBook())
        } catch {
            // A gateway that reads its devices is worth more than the runs it missed.
            gateway.logger.error(
                "where the schedules were cannot be read; they begin now",
                metadata: ["error": "\(error)"]
            )
            self.book = Mutex(ScheduleBook())
        }
    }

    /// What became of the last run of a schedule.
    func last(of name: String) -> ScheduleBook.Run? { self.book.withLock { $0.entries[name]?.last } }

    /// Whether a run of the schedule is under way now.
    func isUnderWay(_ name: String) -> Bool { self.underWay.withLock { $0.contains(name) } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    for (schedule, verdict) in self.look() {
                        group.addTask { await self.carryOut(schedule, verdict) }
                    }
                    do { try await Task.sleep(for: .seconds(1)) } catch { break }
                }
                group.cancelAll()
            }
        }
    }

    /// What is due now.
    private func look() -> [(ScheduleDefinition, ScheduleBook.Verdict)] {
        let files = self.gateway.files
        let now = self.gateway.now
        let site = files.site
        return self.book.withLock { book in
            book.keep(Set(site.schedules.map(\.name)))
            return site.schedules.compactMap { schedule in
                book.judge(
                    schedule.name,
                    revision: schedule.revision,
                    now: now,
                    graceMilliseconds: schedule.graceMilliseconds
                ) { start, end in
                    schedule.runs(
                        after: start,
                        through: end,
                        timetable: site.timetable,
                        utcOffsetSeconds: site.utcOffsetSeconds
                    )
                }
                .map { (schedule, $0) }
            }
        }
    }

    private func carryOut(_ schedule: ScheduleDefinition, _ verdict: ScheduleBook.Verdict) async {
        switch verdict {
        case .begins: await self.keep(nil, of: schedule, action: "schedule.begin", detail: [:])
        case .missed(let count, let last):
            var run = ScheduleBook.Run(due: last.rawValue)
            run.missed = count
            run.isEnded = true
            await self.keep(
                run,
                of: schedule,
                action: "schedule.missed",
                detail: ["count": "\(count)", "last": UTCText.rfc3339(last)]
            )
        case .run(let due, let missed):
            var run = ScheduleBook.Run(due: due.rawValue)
            run.missed = missed
            // Written down before anything is sent: after a kill it is not run again.
            let detail = ["due": UTCText.rfc3339(due), "missed": "\(missed)"]
            self.underWay.withLock { _ = $0.insert(schedule.name) }
            defer { self.underWay.withLock { _ = $0.remove(schedule.name) } }
            guard await self.keep(run, of: schedule, action: "schedule.start", detail: detail) else { return }
            await self.send(schedule, &run)
            run.isEnded = true
            await self.keep(
                run,
                of: schedule,
                action: "schedule.end",
                detail: [
                    "due": UTCText.rfc3339(due), "sent": "\(run.sent)", "confirmed": "\(run.confirmed)",
                    "heldOff": "\(run.heldOff)", "failed": "\(run.failed)",
                ]
            )
        }
    }

    /// Writes down where the schedule is.
    ///
    /// Returns whether that could be done.
    @discardableResult
    private func keep(
        _ run: ScheduleBook.Run?,
        of schedule: ScheduleDefinition,
        action: String,
        detail: [String: String]
    ) async -> Bool {
        if let run { self.book.withLock { $0.note(run, of: schedule.name) } }
        do {
            try await self.gateway.records.perform { records in
                try self.writing.withLock { _ in
                    let json = try StoredSchedules(self.book.withLock { $0 }).json()
                    try records.keepSchedules(json: json, action: action, subject: schedule.name, detail: detail)
                }
            }
            self.gateway.controls.touch()
            return true
        } catch {
            self.gateway.logger.error("schedule not run: it cannot be written down", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// What became of one command of a run.
    private enum Fate: Sendable {
        case confirmed
        case sent
        case heldOff
        case failed
    }

    private func send(_ schedule: ScheduleDefinition, _ run: inout ScheduleBook.Run) async {
        let files = self.gateway.files
        var byDevice: [DeviceID: [ScheduleDefinition.Action]] = [:]
        for action in schedule.actions {
            for id in files.devices(of: action) { byDevice[id, default: []].append(action) }
        }
        let fates = await withTaskGroup(of: [Fate].self) { group in
            var fates: [Fate] = []
            var waiting = byDevice.sorted { $0.key < $1.key }[...]
            for _ in 0..<Self.widthMax {
                guard let (id, actions) = waiting.popFirst() else { break }
                group.addTask { await self.send(actions, to: id, schedule) }
            }
            while let done = await group.next() {
                fates += done
                if let (id, actions) = waiting.popFirst() {
                    group.addTask { await self.send(actions, to: id, schedule) }
                }
            }
            return fates
        }
        for fate in fates {
            switch fate {
            case .confirmed:
                run.sent += 1
                run.confirmed += 1
            case .sent: run.sent += 1
            case .heldOff: run.heldOff += 1
            case .failed: run.failed += 1
            }
        }
    }

    /// One after the other: a device takes one command at a time.
    private func send(_ actions: [ScheduleDefinition.Action], to id: DeviceID, _ schedule: ScheduleDefinition) async
        -> [Fate]
    {
        var fates: [Fate] = []
        for action in actions { fates.append(await self.send(action, to: id, schedule)) }
        return fates
    }

    private func send(_ action: ScheduleDefinition.Action, to id: DeviceID, _ schedule: ScheduleDefinition) async
        -> Fate
    {
        let request = CommandRequest(
            key: ControlKey(id, action.control),
            value: action.value,
            actor: CommandActor(name: "schedule:\(schedule.name)", standing: .automation),
            priority: .schedule,
            reason: schedule.title.vi
        )
        for _ in 0..<Self.triesMax {
            do throws(CommandRefusal) {
                let command = try await self.gateway.controls.submit(request)
                let ended = await self.gateway.controls.command(
                    command.id,
                    of: command.key,
                    waitingMilliseconds: 60_000
                )
                switch ended?.outcome {
                case .confirmed: return .confirmed
                case .acknowledged, .pending: return .sent
                default: return .failed
                }
            } catch {
                switch error.code {
                case .overridden, .locked: return .heldOff
                case .tooSoon, .busy:
                    let wait = min(error.retryAfterMilliseconds ?? 1_000, 30_000)
                    do { try await Task.sleep(for: .milliseconds(wait)) } catch { return .failed }
                default:
                    self.gateway.logger.warning(
                        "a command of a schedule was not sent",
                        metadata: [
                            "schedule": "\(schedule.name)", "control": "\(request.key)", "reason": "\(error.code)",
                        ]
                    )
                    return .failed
                }
            }
        }
        return .failed
    }
}

/// Where the schedules are, as the setting `control.schedules` has it.
private struct StoredSchedules: Codable {
    struct Item: Codable {
        var name: String
        var revision: String
        var until: Int64
        var last: ScheduleBook.Run?
    }

    var items: [Item]

    init(_ book: ScheduleBook) {
        self.items = book.entries.sorted { $0.key < $1.key }
            .map {
                Item(name: $0.key, revision: $0.value.revision, until: $0.value.until.rawValue, last: $0.value.last)
            }
    }

    init(json: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(json.utf8)) }

    func json() throws -> String { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }

    var book: ScheduleBook {
        let entries = self.items.map { item in
            (
                item.name,
                ScheduleBook.Entry(revision: item.revision, until: Tick(milliseconds: item.until), last: item.last)
            )
        }
        return ScheduleBook(entries: Dictionary(entries, uniquingKeysWith: { first, _ in first }))
    }
}
