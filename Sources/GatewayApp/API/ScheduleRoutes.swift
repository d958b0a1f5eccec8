internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import Hummingbird
internal import SiteConfiguration
internal import WebConsole

/// The schedules: the page, and the list under `/api/v1`.
struct ScheduleRoutes {
    let gateway: Gateway
    let console: Console
    let schedules: ScheduleRunner

    func add(to router: Router<ConsoleContext>) {
        router.get("/schedules") { request, context in try self.page(request, context) }
        router.get("/api/v1/schedules") { _, _ in
            let items = self.gateway.site.schedules.map { self.item($0) }
            return try self.console.json(APIModel.List(items: items))
        }
    }

    // MARK: API

    private struct Item: Encodable {
        struct Action: Encodable {
            /// `device` or `node` with its identifier.
            var device: String?
            var node: String?
            var control: String
            var value: Double?
            /// How many devices it is for.
            var devices: Int
        }

        struct Run: Encodable {
            var dueAt: String
            var sent: Int
            var confirmed: Int
            var heldOff: Int
            var failed: Int
            var missed: Int
            /// `ended`, `running`, or `interrupted`: the gateway ended meanwhile.
            var state: String
        }

        var name: String
        var title: LocalizedText
        var enabled: Bool
        var nextAt: String?
        var actions: [Action]
        var last: Run?
    }

    private func next(_ schedule: ScheduleDefinition) -> Tick? {
        let site = self.gateway.site
        return schedule.next(
            after: self.gateway.now,
            timetable: site.timetable,
            utcOffsetSeconds: site.utcOffsetSeconds
        )
    }

    private func item(_ schedule: ScheduleDefinition) -> Item {
        let files = self.gateway.files
        return Item(
            name: schedule.name,
            title: schedule.title,
            enabled: schedule.isEnabled,
            nextAt: self.next(schedule).map { UTCText.rfc3339($0) },
            actions: schedule.actions.map { action in
                var item = Item.Action(
                    control: action.control,
                    value: action.value,
                    devices: files.devices(of: action).count
                )
                switch action.target {
                case .device(let id): item.device = id.rawValue
                case .node(let id): item.node = id.rawValue
                }
                return item
            },
            last: self.schedules.last(of: schedule.name)
                .map { run in
                    Item.Run(
                        dueAt: UTCText.rfc3339(Tick(milliseconds: run.due)),
                        sent: run.sent,
                        confirmed: run.confirmed,
                        heldOff: run.heldOff,
                        failed: run.failed,
                        missed: run.missed,
                        state: run.isEnded
                            ? "ended" : self.schedules.isUnderWay(schedule.name) ? "running" : "interrupted"
                    )
                }
        )
    }

    // MARK: Page

    private func page(_ request: Request, _ context: ConsoleContext) throws -> Response {
        let language = context.language
        let rows = self.gateway.site.schedules.map { self.row($0, language) }
        let content: [String: Any] = [
            "rows": rows, "has_rows": !rows.isEmpty,
            "empty": EmptyState(
                title: LocalizedText(vi: "Chưa có lịch nào", en: "No schedules").text(in: language),
                text: LocalizedText(
                    vi: "Khai báo 'schedules' trong site.yaml; docs/control.md có ví dụ.",
                    en: "Write 'schedules' into site.yaml; docs/control.md has an example."
                )
                .text(in: language)
            ),
        ]
        return try self.console.render(
            Page(
                title: LocalizedText(vi: "Lịch", en: "Schedules"),
                template: "schedules",
                content: content,
                navigation: "schedules",
                isLive: true
            ),
            request,
            context
        )
    }

    private func row(_ schedule: ScheduleDefinition, _ language: Language) -> [String: Any] {
        let offset = self.gateway.site.utcOffsetSeconds
        let last = self.schedules.last(of: schedule.name)
        let next =
            self.next(schedule).map { LocalTime.text($0, offset) }
            ?? LocalizedText(vi: "không có", en: "none").text(in: language)
        return [
            "title": schedule.title.text(in: language), "when": schedule.words.text(in: language), "next": next,
            "actions": schedule.actions.map { self.words($0).text(in: language) },
            "last": last.map { LocalTime.text(Tick(milliseconds: $0.due), offset) } ?? "–",
            "pills": last.map { [self.pill($0, schedule.name, language)] } ?? [],
            "outcome": last.map { $0.words.text(in: language) } ?? "",
        ]
    }

    private func pill(_ run: ScheduleBook.Run, _ name: String, _ language: Language) -> StatusPill {
        if run.isEnded { return StatusPill(run.statusKind, run.label.text(in: language)) }
        return self.schedules.isUnderWay(name)
            ? StatusPill(.information, LocalizedText(vi: "Đang chạy", en: "Running").text(in: language))
            : StatusPill(.warning, LocalizedText(vi: "Bị ngắt giữa chừng", en: "Interrupted").text(in: language))
    }

    private func words(_ action: ScheduleDefinition.Action) -> LocalizedText {
        let files = self.gateway.files
        let devices = files.devices(of: action)
        let control = devices.lazy.compactMap { self.gateway.controls.device($0) }.first?.profile.controls
            .first { $0.name == action.control }
        let title = control?.title ?? LocalizedText(vi: action.control, en: action.control)
        let value =
            action.value.map {
                control?.words(for: $0) ?? LocalizedText(vi: NumberText.text($0), en: NumberText.text($0))
            }
            ?? LocalizedText(vi: "bấm", en: "press")
        let place: LocalizedText =
            switch action.target {
            case .device(let id):
                self.gateway.controls.device(id)?.name ?? LocalizedText(vi: id.rawValue, en: id.rawValue)
            case .node(let id):
                files.site.nodes.first { $0.id == id }?.name ?? LocalizedText(vi: id.rawValue, en: id.rawValue)
            }
        return LocalizedText(
            vi: "\(title.vi) → \(value.vi) · \(place.vi) (\(devices.count) thiết bị)",
            en: "\(title.en) → \(value.en) · \(place.en) (\(devices.count) devices)"
        )
    }
}

extension ScheduleDefinition {
    /// When it runs.
    var words: LocalizedText {
        let base: LocalizedText =
            switch self.instant {
            case .time(let minute):
                LocalizedText(vi: "lúc \(Self.clock(minute))", en: "at \(Self.clock(minute))")
            case .lesson(.firstStart): LocalizedText(vi: "đầu tiết đầu tiên", en: "start of the first lesson")
            case .lesson(.lastEnd): LocalizedText(vi: "cuối tiết cuối cùng", en: "end of the last lesson")
            case .lesson(.everyStart): LocalizedText(vi: "đầu mỗi tiết", en: "start of every lesson")
            case .lesson(.everyEnd): LocalizedText(vi: "cuối mỗi tiết", en: "end of every lesson")
            }
        guard self.offsetMilliseconds != 0 else { return base }
        let span = LocalTime.span(abs(self.offsetMilliseconds))
        return self.offsetMilliseconds > 0
            ? LocalizedText(vi: "\(span.vi) sau \(base.vi)", en: "\(span.en) after the \(base.en)")
            : LocalizedText(vi: "\(span.vi) trước \(base.vi)", en: "\(span.en) before the \(base.en)")
    }

    private static func clock(_ minute: Int) -> String {
        let (hours, minutes) = (minute / 60, minute % 60)
        return "\(hours < 10 ? "0" : "")\(hours):\(minutes < 10 ? "0" : "")\(minutes)"
    }
}

extension ScheduleBook.Run {
    fileprivate var isMissed: Bool { self.sent + self.failed + self.heldOff == 0 && self.missed > 0 }

    var statusKind: StatusKind {
        if self.isMissed || self.failed > 0 || self.confirmed < self.sent { return .warning }
        return self.heldOff > 0 ? .information : .normal
    }

    var label: LocalizedText {
        if self.isMissed { return LocalizedText(vi: "Bị lỡ", en: "Missed") }
        if self.failed > 0 { return LocalizedText(vi: "Có lệnh hỏng", en: "Some failed") }
        if self.confirmed < self.sent { return LocalizedText(vi: "Chưa xác nhận hết", en: "Not all confirmed") }
        if self.heldOff > 0 { return LocalizedText(vi: "Có người đang giữ", en: "Some are held") }
        return LocalizedText(vi: "Đã làm", en: "Done")
    }

    var words: LocalizedText {
        if self.isMissed {
            return LocalizedText(
                vi: "lỡ \(self.missed) lần vì gateway không chạy; không làm bù muộn",
                en: "\(self.missed) runs missed while the gateway was away; not made up for"
            )
        }
        return LocalizedText(
            vi: "\(self.confirmed)/\(self.sent) xác nhận, \(self.heldOff) có người giữ, \(self.failed) hỏng",
            en: "\(self.confirmed)/\(self.sent) confirmed, \(self.heldOff) held, \(self.failed) failed"
        )
    }
}
