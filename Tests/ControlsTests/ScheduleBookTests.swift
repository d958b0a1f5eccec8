import CampusModel
import Controls
import Testing

/// Which runs are due.
struct ScheduleBookTests {
    private static let start: Int64 = 1_790_000_000_000
    private let minute: Int64 = 60_000

    private func tick(_ minutes: Int64) -> Tick { Tick(milliseconds: Self.start + minutes * self.minute) }

    /// A schedule that runs at these minutes.
    private func judge(_ book: inout ScheduleBook, at minutes: Int64, runs: [Int64], revision: String = "1")
        -> ScheduleBook.Verdict?
    {
        book.judge("s", revision: revision, now: self.tick(minutes), graceMilliseconds: 5 * self.minute) { start, end in
            runs.map { self.tick($0) }.filter { $0 > start && $0 <= end }
        }
    }

    @Test func aNewScheduleMakesUpForNothing() {
        var book = ScheduleBook()
        #expect(self.judge(&book, at: 10, runs: [9]) == .begins)
        #expect(self.judge(&book, at: 11, runs: [9]) == nil)
        #expect(self.judge(&book, at: 12, runs: [9, 12]) == .run(due: self.tick(12), missed: 0))
        #expect(self.judge(&book, at: 12, runs: [9, 12]) == nil)
        #expect(self.judge(&book, at: 13, runs: [9, 12]) == nil)
        // Other times are another schedule.
        #expect(self.judge(&book, at: 20, runs: [19], revision: "2") == .begins)
    }

    @Test func aRunThatWasMissedIsMadeUpForWithinItsGraceOnly() {
        var book = ScheduleBook()
        _ = self.judge(&book, at: 0, runs: [])
        var early = book
        #expect(self.judge(&early, at: 15, runs: [10]) == .run(due: self.tick(10), missed: 0))
        var late = book
        #expect(self.judge(&late, at: 16, runs: [10]) == .missed(count: 1, last: self.tick(10)))
        #expect(self.judge(&late, at: 17, runs: [10]) == nil, "told once")
        var many = book
        #expect(self.judge(&many, at: 31, runs: [10, 20, 30]) == .run(due: self.tick(30), missed: 2))
        var away = book
        #expect(self.judge(&away, at: 100_000, runs: [10, 20]) == nil, "more than 40 days ago")
    }

    @Test func aClockThatIsPutBackFiresNothingAgain() {
        var book = ScheduleBook()
        _ = self.judge(&book, at: 0, runs: [])
        #expect(self.judge(&book, at: 10, runs: [10]) == .run(due: self.tick(10), missed: 0))
        #expect(self.judge(&book, at: 5, runs: [10]) == nil)
        #expect(self.judge(&book, at: 10, runs: [10]) == nil)
        #expect(self.judge(&book, at: 11, runs: [10]) == nil)
    }

    @Test func schedulesThatAreNoMoreAreForgotten() {
        var book = ScheduleBook()
        _ = self.judge(&book, at: 0, runs: [])
        book.keep([])
        #expect(book.entries.isEmpty)
        #expect(self.judge(&book, at: 10, runs: [9]) == .begins)
    }
}
