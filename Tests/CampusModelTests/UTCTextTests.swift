import CampusModel
import Testing

struct UTCTextTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", Int64(0)),
        ("2017-12-22T10:49:41.000Z", 1_513_939_781_000),
        ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ("1969-12-31T23:59:59.001Z", -999),
        ("2100-01-01T00:00:00.000Z", 4_102_444_800_000),
    ])
    func writesAndReadsTheSameInstant(text: String, milliseconds: Int64) {
        #expect(UTCText.rfc3339(Tick(milliseconds: milliseconds)) == text)
        #expect(UTCText.tick(rfc3339: text) == Tick(milliseconds: milliseconds))
    }

    @Test(arguments: [
        ("2026-09-08T07:42:18-04:00", "2026-09-08T11:42:18.000Z"),
        ("2026-02-26T17:13:37.432087177Z", "2026-02-26T17:13:37.432Z"),
        ("2026-02-26 17:13:37.5+0700", "2026-02-26T10:13:37.500Z"),
        ("2026-02-26T17:13Z", "2026-02-26T17:13:00.000Z"),
    ])
    func readsOffsetsAndFractions(text: String, expected: String) throws {
        let tick = try #require(UTCText.tick(rfc3339: text))
        #expect(UTCText.rfc3339(tick) == expected)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+99:00", "٢٠٢٦-01-01T00:00:00Z", String(repeating: "9", count: 100),
    ])
    func refusesWhatIsNotAnInstant(text: String) {
        #expect(UTCText.tick(rfc3339: text) == nil)
    }

    @Test func takesTheSitesZoneWhereTheDeviceTellsNone() {
        let tick = UTCText.tick(rfc3339: "2024-01-01T10:31:09", zonelessOffsetSeconds: 25_200)
        #expect(tick.map(UTCText.rfc3339) == "2024-01-01T03:31:09.000Z")
    }

    @Test func everyDayOfFourCenturiesSurvivesTheRoundTrip() {
        for day in stride(from: Int64(-146_097), to: 146_097, by: 1) {
            let date = UTCText.civil(days: day)
            #expect(UTCText.days(year: date.year, month: date.month, day: date.day) == day)
        }
    }

    @Test func flooringGoesDownOnBothSidesOfTheEpoch() {
        #expect(Tick(milliseconds: 119_999).floored(toMilliseconds: 60_000) == Tick(milliseconds: 60_000))
        #expect(Tick(milliseconds: -1).floored(toMilliseconds: 60_000) == Tick(milliseconds: -60_000))
        #expect(Tick(milliseconds: -60_000).floored(toMilliseconds: 60_000) == Tick(milliseconds: -60_000))
    }
}
