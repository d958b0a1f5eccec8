package import CampusModel

/// Something that is set on devices at times of the timetable.
package struct ScheduleDefinition: Sendable, Hashable {
    /// Which instants of a day.
    package enum Instant: Sendable, Hashable {
        /// Minutes after local midnight.
        case time(minute: Int)
        case lesson(Lesson)
    }

    /// Which lessons' beginning or end.
    package enum Lesson: String, Sendable, CaseIterable {
        case firstStart = "first-start"
        case lastEnd = "last-end"
        case everyStart = "every-start"
        case everyEnd = "every-end"
    }

    /// On which days.
    package enum Days: Sendable, Hashable {
        /// Days with lessons, no holidays.
        case lessons
        /// Every day, holidays too.
        case all
        /// 1 Monday … 7 Sunday, no holidays.
        case weekdays(Set<Int>)
    }

    /// What is set.
    package struct Action: Sendable, Hashable {
        /// Of what.
        package enum Target: Sendable, Hashable {
            case device(DeviceID)
            /// Every device inside the node that has the control.
            case node(NodeID)
        }

        package var target: Target
        package var control: String
        /// In the control's unit; `nil` for buttons.
        package var value: Double?
        /// The line in the file, for messages.
        package var line: Int
    }

    package var name: String
    package var title: LocalizedText
    package var instant: Instant
    /// Added to the instant.
    package var offsetMilliseconds: Int64
    /// Only lessons of this shift; `nil` for all.
    package var shift: String?
    package var days: Days
    /// A run that was missed by more than this is not made up for.
    package var graceMilliseconds: Int64
    package var actions: [Action]
    package var isEnabled: Bool

    /// What decides when it runs, as text: another one is a new schedule.
    package var revision: String {
        let days: String =
            switch self.days {
            case .lessons: "lessons"
            case .all: "all"
            // In order: a set has another one in every process.
            case .weekdays(let weekdays): weekdays.sorted().map(String.init).joined(separator: ",")
            }
        let instant: String =
            switch self.instant {
            case .time(let minute): "\(minute)"
            case .lesson(let lesson): lesson.rawValue
            }
        return "\(instant) \(self.offsetMilliseconds) \(self.shift ?? "-") \(days) \(self.isEnabled ? "on" : "off")"
    }
}

extension ScheduleDefinition {
    private static let day: Int64 = 86_400_000

    /// The runs after the start of `range` up to and with its end, in order; both in UTC.
    package func runs(
        after start: Tick,
        through end: Tick,
        timetable: SiteDefinition.Timetable,
        utcOffsetSeconds: Int64
    ) -> [Tick] {
        guard self.isEnabled, start < end else { return [] }
        let shift = utcOffsetSeconds * 1_000
        // The offset may move a run into a neighbouring day.
        let first = (start.rawValue + shift - self.offsetMilliseconds).floored(by: Self.day)
        let last = (end.rawValue + shift - self.offsetMilliseconds).floored(by: Self.day)
        var runs: [Tick] = []
        for day in first...last where self.isOn(day, timetable) {
            for minute in self.minutes(timetable) {
                let local = day * Self.day + Int64(minute) * 60_000 + self.offsetMilliseconds
                let run = Tick(milliseconds: local - shift)
                if run > start, run <= end { runs.append(run) }
            }
        }
        return runs.sorted()
    }

    /// The next run after `now` within 400 days.
    package func next(
        after now: Tick,
        timetable: SiteDefinition.Timetable,
        utcOffsetSeconds: Int64
    ) -> Tick? {
        var start = now
        for _ in 0..<400 {
            let end = start.advanced(byMilliseconds: Self.day)
            let runs = self.runs(after: start, through: end, timetable: timetable, utcOffsetSeconds: utcOffsetSeconds)
            if let first = runs.first { return first }
            start = end
        }
        return nil
    }

    private func isOn(_ day: Int64, _ timetable: SiteDefinition.Timetable) -> Bool {
        switch self.days {
        case .all: true
        case .lessons: timetable.hasLessons(onDay: day)
        case .weekdays(let weekdays):
            weekdays.contains(SiteDefinition.Timetable.weekday(ofDay: day)) && !timetable.isHoliday(day)
        }
    }

    private func minutes(_ timetable: SiteDefinition.Timetable) -> [Int] {
        switch self.instant {
        case .time(let minute): return [minute]
        case .lesson(let lesson):
            let lessons = timetable.lessons.filter { self.shift == nil || $0.shift == self.shift }
            return switch lesson {
            case .firstStart: lessons.first.map { [$0.fromMinute] } ?? []
            case .lastEnd: lessons.last.map { [$0.toMinute] } ?? []
            case .everyStart: lessons.map(\.fromMinute)
            case .everyEnd: lessons.map(\.toMinute)
            }
        }
    }
}
