package import CampusModel

extension SiteDefinition.Timetable {
    /// How long the lesson of this moment still lasts, milliseconds; `nil` outside lessons.
    ///
    /// - Parameter now: In UTC.
    package func millisecondsToLessonEnd(at now: Tick, utcOffsetSeconds: Int64) -> Int64? {
        let local = now.rawValue + utcOffsetSeconds * 1_000
        let day = local.floored(by: 86_400_000)
        // 1970-01-01 was a Thursday.
        guard self.weekdays.contains(Int((day + 3) % 7) + 1) else { return nil }
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
