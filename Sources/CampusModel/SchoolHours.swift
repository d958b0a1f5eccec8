/// What a school does at one moment, by its timetable.
package enum TimetableState: UInt8, Sendable, Hashable, CaseIterable {
    /// A lesson is on.
    case lesson = 0
    /// The minutes between two lessons.
    case pause = 1
    /// A school day outside lessons: noon, early morning, evening.
    case empty = 2
    /// Nobody should be there.
    case night = 3
    /// No school on this day.
    case holiday = 4
    /// From the first to the last lesson of a day of examinations.
    case exam = 5

    /// The word of files and of the API; the minutes between lessons are a `break` there.
    package var word: String { self == .pause ? "break" : "\(self)" }

    /// Reads ``word``.
    package init?(word: String) {
        guard let state = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = state
    }
}

/// When a school does what, as a pure function of local time.
package struct SchoolHours: Sendable, Hashable {
    /// Days since 1970-01-01, local.
    package typealias Day = Int64

    /// 1 Monday … 7 Sunday.
    package var weekdays: Set<Int>
    /// Minutes after local midnight, in order, without overlap.
    package var lessons: [Range<Int>]
    /// Minutes after local midnight; the end may be before the start, which means over midnight.
    package var night: (start: Int, end: Int)
    package var holidays: [ClosedRange<Day>]
    package var exams: [ClosedRange<Day>]
    /// East of UTC.
    package var utcOffsetSeconds: Int64

    /// Gaps between lessons of at most so many minutes are breaks.
    package static let breakMinutesMax = 30

    package init(
        weekdays: Set<Int>,
        lessons: [Range<Int>],
        night: (start: Int, end: Int) = (22 * 60, 5 * 60),
        holidays: [ClosedRange<Day>] = [],
        exams: [ClosedRange<Day>] = [],
        utcOffsetSeconds: Int64
    ) {
        self.weekdays = weekdays
        self.lessons = lessons
        self.night = night
        self.holidays = holidays
        self.exams = exams
        self.utcOffsetSeconds = utcOffsetSeconds
    }

    package static func == (left: SchoolHours, right: SchoolHours) -> Bool {
        left.weekdays == right.weekdays && left.lessons == right.lessons && left.night == right.night
            && left.holidays == right.holidays && left.exams == right.exams
            && left.utcOffsetSeconds == right.utcOffsetSeconds
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.weekdays)
        hasher.combine(self.lessons)
        hasher.combine(self.holidays)
        hasher.combine(self.exams)
    }

    /// The state at `utc`, which is a real instant, not only what the board believes.
    ///
    /// States change on whole minutes only.
    package func state(at utc: Tick) -> TimetableState {
        let local = utc.rawValue.addingReportingOverflow(self.utcOffsetSeconds * 1_000).partialValue
        let day = local >= 0 ? local / 86_400_000 : (local - 86_399_999) / 86_400_000
        let minute = Int((local - day * 86_400_000) / 60_000)
        return self.state(day: day, minute: minute)
    }

    /// The state in one minute of one local day.
    package func state(day: Day, minute: Int) -> TimetableState {
        if self.isNight(minute) { return .night }
        let isInHours =
            self.lessons.first.map { minute >= $0.lowerBound } ?? false
            && self.lessons.last.map { minute < $0.upperBound } ?? false
        if self.exams.contains(where: { $0.contains(day) }) { return isInHours ? .exam : .empty }
        // 1970-01-01 was a Thursday.
        let weekday = Int((day % 7 + 7 + 3) % 7) + 1
        if !self.weekdays.contains(weekday) || self.holidays.contains(where: { $0.contains(day) }) { return .holiday }
        guard isInHours else { return .empty }
        if self.lessons.contains(where: { $0.contains(minute) }) { return .lesson }
        for (before, after) in zip(self.lessons, self.lessons.dropFirst())
        where minute >= before.upperBound && minute < after.lowerBound {
            return after.lowerBound - before.upperBound <= Self.breakMinutesMax ? .pause : .empty
        }
        return .empty
    }

    private func isNight(_ minute: Int) -> Bool {
        let (start, end) = self.night
        return start <= end ? minute >= start && minute < end : minute >= start || minute < end
    }
}
