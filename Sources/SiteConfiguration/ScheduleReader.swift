internal import AlertRules
internal import CampusModel
internal import StrictYAML

/// Reads `timetable` and `schedules` of `site.yaml`.
struct ScheduleReader {
    let root: YAMLMap
    let nodes: Set<String>
    let devices: Set<String>

    func timetable() -> SiteDefinition.Timetable {
        guard let map = self.root.optionalMap("timetable") else { return .standard }
        var timetable = SiteDefinition.Timetable.standard
        if let value = map.optional("weekdays") {
            timetable.weekdays = Set(value.list(limit: 7).compactMap { $0.int(in: 1...7) })
        }
        if let value = map.optional("lessons") {
            timetable.lessons = value.list(limit: 48).compactMap { self.lesson($0, shift: nil) }
            self.checkOrder(timetable.lessons, value)
            if map.optional("shifts") != nil { map.problem(at: "shifts", "either 'lessons' or 'shifts'") }
        } else if let value = map.optional("shifts") {
            timetable.lessons = value.list(limit: 8).flatMap { self.shift($0.map()) }
            self.checkOrder(timetable.lessons, value)
        }
        if let night = map.optional("night").flatMap({ TimetableReader.night($0) }) {
            timetable.night = .init(fromMinute: night.start, toMinute: night.end)
        }
        timetable.holidays = map.list("holidays", limit: 400).compactMap { TimetableReader.days($0) }
        timetable.exams = map.list("exams", limit: 400).compactMap { TimetableReader.days($0) }
        map.finish()
        return timetable
    }

    private func checkOrder(_ lessons: [SiteDefinition.Timetable.Lesson], _ value: YAMLValue) {
        for (before, after) in zip(lessons, lessons.dropFirst()) where after.fromMinute < before.toMinute {
            value.problem("lessons must follow each other without overlapping")
        }
    }

    private func shift(_ map: YAMLMap) -> [SiteDefinition.Timetable.Lesson] {
        let name = self.identifier(map, "shift")
        let lessons = map.list("lessons", limit: 24).compactMap { self.lesson($0, shift: name) }
        if lessons.isEmpty { map.problem("a shift needs 'lessons'") }
        map.finish()
        return lessons
    }

    private func lesson(_ value: YAMLValue, shift: String?) -> SiteDefinition.Timetable.Lesson? {
        TimetableReader.minutes(value).map { .init(fromMinute: $0.lowerBound, toMinute: $0.upperBound, shift: shift) }
    }

    func schedules(_ timetable: SiteDefinition.Timetable) -> [ScheduleDefinition] {
        let schedules = self.root.list("schedules", limit: 200).compactMap { self.schedule($0.map(), timetable) }
        var seen: Set<String> = []
        for schedule in schedules where !seen.insert(schedule.name).inserted {
            self.root.problem(at: "schedules", "two schedules are called '\(schedule.name)'")
        }
        return schedules
    }

    private func schedule(_ map: YAMLMap, _ timetable: SiteDefinition.Timetable) -> ScheduleDefinition? {
        let name = self.identifier(map, "schedule")
        let title = self.title(map)
        let instant = self.instant(map)
        let offset = map.optional("offset").flatMap { self.offset($0) } ?? 0
        let shift = map.optionalString("shift", limit: 64)
        if let shift {
            let known = Set(timetable.lessons.compactMap(\.shift)).sorted()
            if !known.contains(shift) {
                map.problem(
                    at: "shift",
                    "there is no shift called '\(shift)' (there are: \(known.joined(separator: ", ")))"
                )
            }
            if case .time = instant { map.problem(at: "shift", "a time of the clock has no shift") }
        }
        let days = map.optional("days").flatMap { self.days($0) } ?? .lessons
        let grace = map.optional("grace").flatMap { $0.milliseconds(in: 0...3_600_000) } ?? 300_000
        let values = map.required("actions")?.list(limit: 200) ?? []
        let actions = values.compactMap { self.action($0.map()) }
        if values.isEmpty, map.optional("actions") != nil { map.problem(at: "actions", "names nothing to do") }
        let isEnabled = map.bool("enabled", default: true)
        map.finish()
        guard let name, let title, let instant else { return nil }
        return ScheduleDefinition(
            name: name,
            title: title,
            instant: instant,
            offsetMilliseconds: offset,
            shift: shift,
            days: days,
            graceMilliseconds: grace,
            actions: actions,
            isEnabled: isEnabled
        )
    }

    private func instant(_ map: YAMLMap) -> ScheduleDefinition.Instant? {
        let time = map.optional("time")
        let lesson = map.optional("lesson")
        switch (time, lesson) {
        case (.some(let value), nil):
            guard let minute = value.scalarText.flatMap({ TimetableReader.minute($0[...]) }) else {
                value.problem("must be written as \"21:30\", in quotes")
                return nil
            }
            return .time(minute: minute)
        case (nil, .some(let value)):
            return value.choice(of: ScheduleDefinition.Lesson.self).map { .lesson($0) }
        default:
            map.problem("exactly one of the keys 'time' and 'lesson' is needed")
            return nil
        }
    }

    /// A duration, with a minus before it for earlier.
    private func offset(_ value: YAMLValue) -> Int64? {
        guard let text = value.scalarText else {
            value.problem("must be written as 10 min, or -10 min for earlier")
            return nil
        }
        let isEarlier = text.hasPrefix("-")
        let digits = text.drop { $0 == "-" || $0 == "+" }
        let parts = digits.split(separator: " ")
        let units: [Substring: Int64] = ["s": 1_000, "min": 60_000, "h": 3_600_000]
        guard parts.count == 2, let number = Int64(parts[0]), let unit = units[parts[1]], number >= 0,
            number <= 43_200_000 / unit
        else {
            value.problem("must be written as 10 min, or -10 min for earlier; at most 12 h")
            return nil
        }
        return isEarlier ? -number * unit : number * unit
    }

    private func days(_ value: YAMLValue) -> ScheduleDefinition.Days? {
        switch value.scalarText {
        case "lessons": return .lessons
        case "all": return .all
        case nil: return .weekdays(Set(value.list(limit: 7).compactMap { $0.int(in: 1...7) }))
        default:
            value.problem("must be lessons, all, or a list of weekdays (1 Monday … 7 Sunday)")
            return nil
        }
    }

    private func action(_ map: YAMLMap) -> ScheduleDefinition.Action? {
        let device = map.optionalString("device", limit: 64)
        let node = map.optionalString("node", limit: 64)
        let control = map.string("control", limit: 64)
        let value = map.optional("value")
            .flatMap { value -> Double? in
                switch value.plainText {
                case "true": 1
                case "false": 0
                default: value.double()
                }
            }
        map.finish()
        let target: ScheduleDefinition.Action.Target?
        switch (device, node) {
        case (.some(let id), nil):
            self.checkKnown(id, self.devices, "device", map)
            target = .device(DeviceID(rawValue: id))
        case (nil, .some(let id)):
            self.checkKnown(id, self.nodes, "node", map)
            target = .node(NodeID(rawValue: id))
        default:
            map.problem("exactly one of the keys 'device' and 'node' is needed")
            return nil
        }
        guard let target, let control else { return nil }
        return .init(target: target, control: control, value: value, line: map.line)
    }

    private func checkKnown(_ name: String, _ known: Set<String>, _ what: String, _ map: YAMLMap) {
        guard !known.contains(name) else { return }
        let hint = NearestWord.suggestion(for: name, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
        map.problem(at: what, "there is no \(what) called '\(name)'\(hint)")
    }

    private func identifier(_ map: YAMLMap, _ kind: String) -> String? {
        guard let text = map.string("name", limit: 64) else { return nil }
        do {
            try IdentifierRule.check(text, kind: kind)
            return text
        } catch {
            map.problem(at: "name", error.description)
            return nil
        }
    }

    private func title(_ map: YAMLMap) -> LocalizedText? {
        guard let inner = map.required("title")?.map() else { return nil }
        let (vi, en) = (inner.string("vi", limit: 200), inner.string("en", limit: 200))
        inner.finish()
        guard let vi, let en else { return nil }
        return LocalizedText(vi: vi, en: en)
    }
}
