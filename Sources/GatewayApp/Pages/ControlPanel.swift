internal import Acquisition
internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import SiteConfiguration
internal import WebConsole

/// The controls of a device on its page: what each is set to, who holds it, its last commands, and the form.
struct ControlPanel {
    let gateway: Gateway
    let language: Language
    let context: ConsoleContext

    /// What the template `controls` sees; empty for a device without controls.
    func content(of runtime: DeviceRuntime) -> [String: Any] {
        let statuses = self.gateway.controls.statuses(of: runtime.device.id)
        guard let first = statuses.first else { return self.failsafe(of: runtime).map { ["failsafe": $0] } ?? [:] }
        let actor = ControlRoutes.actor(self.context)
        let isFacility = self.context.role?.allows(.facility) ?? false
        var content: [String: Any] = [
            "device": runtime.device.id.rawValue,
            "items": statuses.map { self.item($0, runtime, actor) },
            "may_lock": isFacility && first.lock == nil, "may_unlock": isFacility && first.lock != nil,
        ]
        content["failsafe"] = self.failsafe(of: runtime)
        if let lock = first.lock {
            content["lock"] = ["actor": lock.actor, "reason": lock.reason, "since": self.time(lock.since)]
        }
        return content
    }

    /// What the device does when the gateway is gone.
    private func failsafe(of runtime: DeviceRuntime) -> [String: Any]? {
        guard let failsafe = runtime.device.profile.failsafe else { return nil }
        let after: LocalizedText? =
            switch failsafe.patience {
            case .seconds(let seconds): LocalTime.span(Int64(exactly: (seconds * 1_000).rounded()) ?? 0)
            case .point(let name):
                runtime.device.profile.points.firstIndex { $0.name == name }
                    .flatMap { index in
                        let point = runtime.device.profile.points[index]
                        let unit = Units.text(for: point.unit)
                        return runtime.point(at: index)?.latest
                            .map { latest in
                                let value = ValueText.text(latest, point)
                                return LocalizedText(vi: "\(value.vi) \(unit)", en: "\(value.en) \(unit)")
                            }
                    }
            case nil: nil
            }
        var content: [String: Any] = ["text": failsafe.title.text(in: self.language)]
        if let after { content["after"] = after.text(in: self.language) }
        if failsafe.feed != nil, self.gateway.controls.feeds[runtime.device.id]?.isFailing == true {
            content["problem"] = LocalizedText(
                vi: "Gateway đang không báo hiệu được cho thiết bị.",
                en: "The gateway cannot feed the device now."
            )
            .text(in: self.language)
        }
        return content
    }

    /// What a room's page shows of a device's controls: a link, and who keeps others away; nothing for a device without
    /// controls.
    func summary(of runtime: DeviceRuntime) -> [[String: Any]] {
        let statuses = self.gateway.controls.statuses(of: runtime.device.id)
        guard let first = statuses.first else { return [] }
        var holds = statuses.compactMap { status in
            status.override.map { hold in
                LocalizedText(
                    vi: "\(status.definition.title.vi): \(hold.actor) giữ đến \(self.time(hold.until ?? hold.since))",
                    en:
                        "\(status.definition.title.en): held by \(hold.actor) until \(self.time(hold.until ?? hold.since))"
                )
                .text(in: self.language)
            }
        }
        if let lock = first.lock {
            holds = [
                LocalizedText(
                    vi: "Bị khóa bởi \(lock.actor): \(lock.reason)",
                    en: "Locked by \(lock.actor): \(lock.reason)"
                )
                .text(in: self.language)
            ]
        }
        return [["id": runtime.device.id.rawValue, "holds": holds]]
    }

    private func item(_ status: ControlStatus, _ runtime: DeviceRuntime, _ actor: CommandActor) -> [String: Any] {
        let control = status.definition
        let id = "\(status.device.id)-\(control.name)".replacing(".", with: "-")
        let isAllowed: Bool =
            switch actor.standing {
            case .administrator, .automation: true
            case .role(let role): control.roles.contains(role)
            case .viewer: false
            }
        let isHeldByOther = status.override.map { $0.actor != actor.name } ?? false
        var item: [String: Any] = [
            "id": id, "name": control.name, "title": control.title.text(in: self.language),
            "device": status.device.id.rawValue, "unit": control.unit == "1" ? "" : Units.text(for: control.unit),
            "is_command": control.kind == .command, "is_number": control.kind == .number,
            "is_choice": control.kind == .boolean || control.kind == .enumeration,
            "may": isAllowed && status.lock == nil,
            "has_commands": !status.commands.isEmpty,
            "commands": status.commands.prefix(5).map { self.row($0, control) },
            "question":
                (control.confirmation
                ?? LocalizedText(
                    vi: "Gửi lệnh này tới thiết bị thật?",
                    en: "Send this command to the real device?"
                ))
                .text(in: self.language), "holds": self.holds(isHeldByOther),
        ]
        if let range = control.range {
            item["minimum"] = NumberText.text(range.lowerBound)
            item["maximum"] = NumberText.text(range.upperBound)
            item["step"] = control.step.map { NumberText.text($0) } ?? "any"
            item["range"] =
                "\(control.words(for: range.lowerBound).text(in: self.language)) … "
                + control.words(for: range.upperBound).text(in: self.language)
        }
        let shown = self.shown(status, runtime)
        item["current"] = shown.text
        item["choices"] = control.choices.map { value in
            [
                "value": NumberText.text(value), "label": control.words(for: value).text(in: self.language),
                "selected": value == shown.value ? "selected" : "",
            ]
        }
        item["value"] = shown.value.map { NumberText.text($0) } ?? ""
        if case .point(let index, _, _) = control.readback {
            item["point"] = "\(status.device.id)/\(status.device.profile.points[index].name)"
        }
        if let hold = status.override {
            item["override"] = [
                "actor": hold.actor, "reason": hold.reason, "until": hold.until.map { self.time($0) } ?? "",
                "value": hold.value.map { control.words(for: $0).text(in: self.language) } ?? "",
            ]
            item["may_release"] = isAllowed
        }
        return item
    }

    /// What the device shows now.
    private func shown(_ status: ControlStatus, _ runtime: DeviceRuntime) -> (text: String, value: Double?) {
        guard case .point(let index, _, _) = status.definition.readback, let point = runtime.point(at: index) else {
            return ("", nil)
        }
        let text = ValueText.text(point.latest, runtime.device.profile.points[index]).text(in: self.language)
        let value = point.latest.flatMap { $0.quality.level == .bad ? nil : $0.value }
        return (text, value)
    }

    private func holds(_ isHeldByOther: Bool) -> [[String: Any]] {
        let site = self.gateway.site
        var holds: [(String, LocalizedText)] = [
            ("once", LocalizedText(vi: "Một lần", en: "Once"))
        ]
        if let left = site.timetable.millisecondsToLessonEnd(
            at: self.gateway.now,
            utcOffsetSeconds: site.utcOffsetSeconds
        ) {
            let minutes = max(1, left / 60_000)
            holds.append(
                (
                    "lesson",
                    LocalizedText(
                        vi: "Giữ đến hết tiết (\(minutes) phút)",
                        en: "Hold to the end of the lesson (\(minutes) min)"
                    )
                )
            )
        }
        holds += [
            ("3600", LocalizedText(vi: "Giữ 1 giờ", en: "Hold for 1 hour")),
            ("7200", LocalizedText(vi: "Giữ 2 giờ", en: "Hold for 2 hours")),
        ]
        return holds.dropFirst(isHeldByOther ? 1 : 0).map { ["value": $0.0, "label": $0.1.text(in: self.language)] }
    }

    private func row(_ command: Command, _ control: ControlDefinition) -> [String: Any] {
        [
            "time": self.time(command.sent), "actor": command.actor, "reason": command.reason,
            "value": command.value.map { control.words(for: $0).text(in: self.language) } ?? "",
            "outcome": StatusPill(command.outcome.statusKind, command.outcome.label.text(in: self.language)),
            "detail": self.detail(command, control),
        ]
    }

    private func detail(_ command: Command, _ control: ControlDefinition) -> String {
        switch command.outcome {
        case .confirmed:
            command.milliseconds.map { "\(ValueText.localized(($0).rounded()).text(in: self.language)) ms" } ?? ""
        case .different(let value):
            value.map {
                LocalizedText(
                    vi: "thiết bị báo \(control.words(for: $0).vi)",
                    en: "the device shows \(control.words(for: $0).en)"
                )
                .text(in: self.language)
            }
                ?? LocalizedText(
                    vi: "thiết bị không báo gì trong thời gian chờ",
                    en: "the device showed nothing in time"
                )
                .text(in: self.language)
        default: command.outcome.detail?.text(in: self.language) ?? ""
        }
    }

    private func time(_ tick: Tick) -> String {
        LocalTime.text(self.gateway.utc(tick), self.gateway.site.utcOffsetSeconds)
    }
}

extension CommandOutcome {
    var label: LocalizedText {
        switch self {
        case .pending: LocalizedText(vi: "Đang chờ", en: "Waiting")
        case .confirmed: LocalizedText(vi: "Đã xác nhận", en: "Confirmed")
        case .different: LocalizedText(vi: "Chưa xác nhận", en: "Not confirmed")
        case .acknowledged: LocalizedText(vi: "Đã nhận lệnh", en: "Acknowledged")
        case .refused: LocalizedText(vi: "Thiết bị từ chối", en: "Refused by the device")
        case .notSent: LocalizedText(vi: "Không gửi được", en: "Not sent")
        case .unknown: LocalizedText(vi: "Không rõ kết quả", en: "Unknown")
        }
    }

    var statusKind: StatusKind {
        switch self {
        case .pending, .acknowledged: .information
        case .confirmed: .normal
        case .different, .unknown: .warning
        case .refused, .notSent: .bad
        }
    }
}
