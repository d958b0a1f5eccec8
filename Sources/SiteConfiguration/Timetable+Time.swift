package import CampusModel

extension SiteDefinition.Timetable {
    /// The weekday of a day since 1970-01-01: 1 Monday … 7 Sunday.
    package static func weekday(ofDay day: Int64) -> Int {
        // 1970-01-01 was a Thursday.
        let index = (day + 3) % 7
        return Int((index + 7) % 7) + 1
    }

    /// Whether a day since 1970-01-01 is in the holidays.
    package func isHoliday(_ day: Int64) -> Bool { self.holidays.contains { $0.contains(day) } }

    /// Whether there are lessons on a day since 1970-01-01.
    package func hasLessons(onDay day: Int64) -> Bool {
        self.weekdays.contains(Self.weekday(ofDay: day)) && !self.isHoliday(day)
    }

    /// How long the lesson of this moment still lasts, milliseconds; `nil` outside lessons.
    ///
    /// - Parameter now: In UTC.
    package func millisecondsToLessonEnd(at now: Tick, utcOffsetSeconds: Int64) -> Int64? {
        let local = now.rawValue + utcOffsetSeconds * 1_000
        let day = local.floored(by: 86_400_000)
        guard self.hasLessons(onDay: day) else { return nil }
        let inDay = local - day * 86_400_000
        let lesson = self.lessons.first { lesson in
            (Int64(lesson.fromMinute) * 60_000..<Int64(lesson.toMinute) * 60_000).contains(inDay)
        }
        return lesson.map { Int64($0.toMinute) * 60_000 - inDay }
    }
}

extension Int64 {
    /// Division that rounds down, also below zero.
    func floored(by divisor: Int64) -> Int64 { (self - (self % divisor + divisor) % divisor) / divisor }
}
