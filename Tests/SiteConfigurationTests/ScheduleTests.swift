import CampusModel
import SiteConfiguration
import StrictYAML
import Testing

/// Schedules as they are written, and when they run.
struct ScheduleTests {
    private static func text(_ timetable: String, _ schedules: String) -> String {
        """
        site: {id: s, name: {vi: T, en: T}, utcOffset: "+07:00"}
        timetable: \(timetable)
        nodes:
          - {id: a, kind: building, name: {vi: A, en: A}, children: [{id: r1, kind: room, room: classroom, name: {vi: P, en: P}}]}
          - {id: b, kind: building, name: {vi: B, en: B}, children: [{id: r2, kind: room, room: classroom, name: {vi: P, en: P}}]}
        devices:
          - {id: tv, node: r1, profile: x, parameters: {d: tv}}
        schedules:
        \(schedules)
        """
    }

    private static let shifts = """
        {shifts: [{name: sang, lessons: [07:00-07:45, 07:50-08:35]}, {name: chieu, lessons: [13:00-13:45]}], holidays: [2026-12-02, 2026-12-24..2026-12-26]}
        """

    private static let off = """
        - {name: off, title: {vi: Tắt, en: "Off"}, lesson: last-end, offset: 10 min, actions: [{device: tv, control: power, value: false}]}
        """

    private func site(_ schedules: String, _ timetable: String = Self.shifts) throws -> SiteDefinition {
        try SiteDefinition.read(yaml: Self.text(timetable, schedules), file: "site.yaml")
    }

    private func problems(_ schedules: String, _ timetable: String = Self.shifts) -> [String] {
        do throws(YAMLProblems) {
            _ = try SiteDefinition.read(yaml: Self.text(timetable, schedules), file: "site.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private func tick(_ text: String) throws -> Tick { try #require(UTCText.tick(rfc3339: text)) }

    /// The runs of a day, as local time.
    private func runs(_ schedule: String, from: String, to: String, _ timetable: String = Self.shifts) throws
        -> [String]
    {
        let site = try self.site(schedule, timetable)
        return try #require(site.schedules.first)
            .runs(
                after: try self.tick("\(from)T00:00:00+07:00"),
                through: try self.tick("\(to)T00:00:00+07:00"),
                timetable: site.timetable,
                utcOffsetSeconds: site.utcOffsetSeconds
            )
            .map { String(UTCText.rfc3339($0.advanced(byMilliseconds: 25_200_000)).prefix(16)) }
    }

    @Test(
        arguments: [
            ("lesson: last-end, offset: 10 min", ["2026-12-01T13:55"]),
            ("lesson: last-end, offset: 10 min, shift: sang", ["2026-12-01T08:45"]),
            ("lesson: first-start, offset: -15 min", ["2026-12-01T06:45"]),
            ("lesson: every-start", ["2026-12-01T07:00", "2026-12-01T07:50", "2026-12-01T13:00"]),
            ("lesson: every-end, shift: chieu", ["2026-12-01T13:45"]), ("time: \"21:30\"", ["2026-12-01T21:30"]),
            ("time: \"21:30\", days: [2]", ["2026-12-01T21:30"]), ("time: \"21:30\", days: [3]", []),
            ("time: \"21:30\", enabled: false", []),
            // The run that belongs to the day before.
            ("time: \"23:30\", offset: 1 h", ["2026-12-01T00:30", "2026-12-02T00:00"].prefix(1).map { $0 }),
        ] as [(String, [String])]
    )
    func aTuesdayWithLessonsHasTheseRuns(when: String, expected: [String]) throws {
        let text = "- {name: s, title: {vi: S, en: S}, \(when), actions: [{node: a, control: power, value: 0}]}"
        #expect(try self.runs(text, from: "2026-12-01", to: "2026-12-02") == expected)
    }

    @Test func holidaysAndSundaysHaveNoneUnlessAllDaysAreMeant() throws {
        // 2026-12-02 is a holiday, 2026-12-06 a Sunday.
        let week = try self.runs(Self.off, from: "2026-12-01", to: "2026-12-08")
        #expect(week.map { String($0.prefix(10).suffix(2)) } == ["01", "03", "04", "05", "07"])
        let all = Self.off.replacing("offset: 10 min", with: "offset: 10 min, days: all")
        #expect(try self.runs(all, from: "2026-12-01", to: "2026-12-08").count == 7)
        #expect(try self.runs(Self.off, from: "2026-12-23", to: "2026-12-28").count == 1)
    }

    @Test func theNextRunIsFoundBeyondHolidays() throws {
        let site = try self.site(Self.off)
        let schedule = try #require(site.schedules.first)
        func next(_ text: String) throws -> String? {
            schedule.next(
                after: try self.tick(text),
                timetable: site.timetable,
                utcOffsetSeconds: site.utcOffsetSeconds
            )
            .map { UTCText.rfc3339($0) }
        }
        #expect(try next("2026-12-23T14:00:00+07:00") == "2026-12-28T06:55:00.000Z")
        #expect(try next("2026-12-01T13:54:59+07:00") == "2026-12-01T06:55:00.000Z")
        #expect(try next("2026-12-01T13:55:00+07:00") == "2026-12-03T06:55:00.000Z")
    }

    @Test func aLessonEndsWhenItEnds() throws {
        let site = try self.site(Self.off)
        func left(_ text: String) throws -> Int64? {
            site.timetable.millisecondsToLessonEnd(at: try self.tick(text), utcOffsetSeconds: 25_200)
        }
        #expect(try left("2026-12-01T07:00:00+07:00") == 45 * 60_000)
        #expect(try left("2026-12-01T07:44:59+07:00") == 1_000)
        #expect(try left("2026-12-01T07:45:00+07:00") == nil)
        #expect(try left("2026-12-02T07:10:00+07:00") == nil, "a holiday")
        #expect(try left("2026-12-06T07:10:00+07:00") == nil, "a Sunday")
    }

    @Test(arguments: [
        ("lesson: last-end", "lesson: last-ent", "last-end"), ("lesson: last-end", "time: 21h", "21:30"),
        ("lesson: last-end", "lesson: last-end, time: \"21:30\"", "exactly one"),
        ("lesson: last-end, ", "", "exactly one"), ("10 min", "10", "10 min"), ("10 min", "13 h", "12 h"),
        ("10 min", "99999999999999999999 min", "12 h"), ("device: tv", "device: tb", "did you mean 'tv'"),
        ("device: tv", "node: c", "no node called 'c'"), ("device: tv", "device: tv, node: a", "exactly one"),
        ("offset: 10 min", "offset: 10 min, shift: toi", "chieu, sang"),
        ("offset: 10 min", "offset: 10 min, days: [8]", "7"), ("offset: 10 min", "days: sometimes", "lessons, all"),
        ("offset: 10 min", "grace: 2 h", "1 h"),
        ("actions: [{device: tv, control: power, value: false}]", "actions: []", "nothing to do"),
        ("name: off", "name: Off!", "name"), ("value: false", "value: maybe", "number"),
        ("offset: 10 min", "ofset: 10 min", "did you mean"),
    ])
    func aMistakeIsNamed(old: String, new: String, word: String) {
        let changed = Self.off.replacing(old, with: new)
        #expect(changed != Self.off)
        let found = self.problems(changed)
        #expect(found.contains { $0.contains(word) && $0.contains("site.yaml:") }, "\(found)")
    }

    @Test(arguments: [
        ("{holidays: [2026-13-01]}", "2026-11-20"), ("{holidays: [2026-12-05..2026-12-01]}", "2026-11-20"),
        ("{holidays: [2020-01-01..2026-12-01]}", "2026-11-20"), ("{shifts: [{name: a}]}", "needs 'lessons'"),
        ("{lessons: [07:00-07:45], shifts: [{name: a, lessons: [08:00-09:00]}]}", "either"),
        ("{shifts: [{name: a, lessons: [07:00-09:00]}, {name: b, lessons: [08:00-10:00]}]}", "overlapping"),
    ])
    func aMistakeInTheTimetableIsNamed(timetable: String, word: String) {
        let found = self.problems(Self.off, timetable)
        #expect(found.contains { $0.contains(word) }, "\(found)")
    }

    @Test func theRevisionIsTheSameInEveryProcess() throws {
        let text =
            "- {name: s, title: {vi: S, en: S}, time: \"21:30\", offset: -5 s, days: [7, 1, 5, 3], actions: [{node: a, control: p}]}"
        #expect(try self.site(text).schedules.first?.revision == "1290 -5000 - 1,3,5,7 on")
        #expect(try self.site(Self.off).schedules.first?.revision == "last-end 600000 - lessons on")
    }

    @Test func twoOfOneNameAreAMistake() {
        #expect(self.problems(Self.off + "\n" + Self.off).contains { $0.contains("two schedules are called 'off'") })
    }

    @Test func aNodeHasWhatIsInsideIt() throws {
        let site = try self.site(Self.off)
        #expect(site.nodes(inside: NodeID(rawValue: "a")).map(\.rawValue).sorted() == ["a", "r1"])
        #expect(site.nodes(inside: NodeID(rawValue: "s")).count == 5)
    }
}
