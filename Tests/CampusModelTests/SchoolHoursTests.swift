import CampusModel
import Testing

/// What a school does when, and what becomes of units.
struct SchoolHoursTests {
    private static let hours = SchoolHours(
        weekdays: [1, 2, 3, 4, 5, 6],
        lessons: [420..<465, 470..<515, 780..<825],
        holidays: [20_777...20_778],
        exams: [20_780...20_780],
        utcOffsetSeconds: 25_200
    )

    // Day 20,781 is 2026-11-24, a Tuesday.
    @Test(arguments: [
        (20_781, 419, TimetableState.empty), (20_781, 420, .lesson), (20_781, 465, .pause), (20_781, 470, .lesson),
        (20_781, 515, .empty), (20_781, 700, .empty), (20_781, 800, .lesson), (20_781, 825, .empty),
        (20_781, 1_319, .empty), (20_781, 1_320, .night), (20_781, 299, .night), (20_781, 300, .empty),
        (20_779, 430, .holiday), (20_779, 60, .night), (20_777, 430, .holiday), (20_780, 466, .exam),
        (20_780, 900, .empty),
    ])
    func states(day: Int, minute: Int, expected: TimetableState) {
        #expect(Self.hours.state(day: Int64(day), minute: minute) == expected)
    }

    @Test func instantsAreLocal() {
        // 2026-11-24T00:00:00Z is 07:00.
        #expect(Self.hours.state(at: Tick(milliseconds: 20_781 * 86_400_000)) == .lesson)
        #expect(Self.hours.state(at: Tick(milliseconds: 20_781 * 86_400_000 - 1)) == .empty)
    }

    @Test func wordsAreReadBack() {
        for state in TimetableState.allCases { #expect(TimetableState(word: state.word) == state) }
        #expect(TimetableState(word: "pause") == nil)
        #expect(TimetableState.pause.word == "break")
    }

    @Test(arguments: [
        ("Cel", "[degF]", 100.0, 212.0), ("[degF]", "Cel", -40, -40), ("K", "Cel", 273.15, 0), ("kW", "W", 2, 2_000),
        ("[ppb]", "[ppm]", 1_500, 1.5), ("mg/m3", "ug/m3", 0.05, 50), ("hPa", "kPa", 1_013.25, 101.325),
        ("m3/h", "L/min", 6, 100), ("W.h", "kW.h", 500, 0.5), ("dB", "dB[SPL]", 55, 55), ("1", "%", 0.4, 40),
    ])
    func units(from: String, to: String, value: Double, expected: Double) throws {
        let conversion = try #require(UnitConversion(from: from, to: to))
        #expect(abs(conversion.apply(value) - expected) < 1e-9 * max(1, abs(expected)))
    }

    @Test func whatMeasuresSomethingElseDoesNotConvert() {
        #expect(UnitConversion(from: "Cel", to: "%") == nil)
        #expect(UnitConversion(from: "[ppm]", to: "mg/m3") == nil)
        #expect(UnitConversion(from: "no", to: "yes") == nil)
        #expect(UnitConversion(from: "no", to: "no") == .identity)
    }

    @Test func everyUnitThatConvertsIsKnown() {
        for from in Units.display.keys {
            #expect(UnitConversion(from: from, to: from) == .identity)
        }
    }
}
