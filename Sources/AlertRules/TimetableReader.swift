internal import CampusModel
package import StrictYAML

/// Reads the timetable of `site.yaml` and of files of tests.
package enum TimetableReader {
    static func read(_ map: YAMLMap?, utcOffsetSeconds: Int64) -> SchoolHours {
        var hours = SchoolHours(
            weekdays: [1, 2, 3, 4, 5, 6],
            lessons: [
                420..<465, 470..<515, 535..<580, 585..<630, 635..<675, 780..<825, 830..<875, 895..<940, 945..<990,
            ],
            utcOffsetSeconds: utcOffsetSeconds
        )
        guard let map else { return hours }
        if let value = map.optional("weekdays") {
            hours.weekdays = Set(value.list(limit: 7).compactMap { $0.int(in: 1...7) })
        }
        if let value = map.optional("lessons") {
            hours.lessons = value.list(limit: 48).compactMap { self.minutes($0) }
            for (before, after) in zip(hours.lessons, hours.lessons.dropFirst())
            where after.lowerBound < before.upperBound {
                value.problem("lessons must follow each other without overlapping")
            }
        }
        if let value = map.optional("night") {
            hours.night = self.night(value) ?? hours.night
        }
        hours.holidays = map.list("holidays", limit: 400).compactMap { self.days($0) }
        hours.exams = map.list("exams", limit: 400).compactMap { self.days($0) }
        map.finish()
        return hours
    }

    /// `22:00-05:00`, in minutes after midnight.
    package static func night(_ value: YAMLValue) -> (start: Int, end: Int)? {
        let parts = value.scalarText?.split(separator: "-").map { self.minute($0) } ?? []
        guard parts.count == 2, let start = parts[0], let end = parts[1] else {
            value.problem("must be written as 22:00-05:00")
            return nil
        }
        return (start, end)
    }

    /// `07:00-07:45`, in minutes after midnight.
    package static func minutes(_ value: YAMLValue) -> Range<Int>? {
        let parts = value.scalarText?.split(separator: "-").map { self.minute($0) } ?? []
        guard parts.count == 2, let from = parts[0], let to = parts[1], from < to else {
            value.problem("must be written as 07:00-07:45")
            return nil
        }
        return from..<to
    }

    /// `2026-11-20`, or `2027-02-01..2027-02-14` with both ends, at most 400 days.
    package static func days(_ value: YAMLValue) -> ClosedRange<Int64>? {
        let parts = (value.scalarText ?? "").split(separator: "..", omittingEmptySubsequences: false)
        let days = parts.map { self.day(String($0)) }
        guard let first = days.first ?? nil, let last = days.last ?? nil, days.count <= 2, first <= last,
            last - first <= 400
        else {
            value.problem("must be a day or two, written as 2026-11-20 or 2027-02-01..2027-02-14")
            return nil
        }
        return first...last
    }

    /// `07:00`, in minutes after midnight.
    package static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0...23).contains(hour), (0...59).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    /// Days since 1970-01-01 of `2026-11-24`.
    static func day(_ text: String) -> Int64? {
        guard text.utf8.count == 10, let tick = UTCText.tick(rfc3339: "\(text)T00:00:00Z") else { return nil }
        return tick.rawValue / 86_400_000
    }
}
