import CampusModel
import Testing

@testable import SchoolRecords

@Suite struct SummaryTests {
    let folder: TemporaryFolder
    let records: Records
    /// Midnight in Ho Chi Minh City.
    let midnight = Tick(milliseconds: 1_789_923_600_000)
    let offsetSeconds: Int64 = 25_200
    let temperature = PointID(device: DeviceID(rawValue: "am103"), name: "temperature")

    init() throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder)
        try self.records.sync(site: .example)
    }

    private func hour(_ number: Int64) -> Tick { self.midnight.advanced(byMilliseconds: number * 3_600_000) }

    private func summary(
        _ number: Int64,
        _ minimum: Double,
        _ maximum: Double,
        sum: Double,
        count: UInt32,
        bad: UInt32 = 0,
        point: PointID? = nil
    ) -> PointSummary {
        PointSummary(
            point: point ?? self.temperature,
            rollup: Rollup(
                start: self.hour(number),
                minimum: minimum,
                maximum: maximum,
                sum: sum,
                count: count,
                badCount: bad
            )
        )
    }

    private func pending(_ period: SummaryPeriod, since: Int64 = 0, now: Int64) throws -> [Tick] {
        try self.records.summariesPending(
            period,
            since: self.hour(since),
            now: self.hour(now),
            utcOffsetSeconds: self.offsetSeconds
        )
    }

    private func stored(_ period: SummaryPeriod) throws -> [PointSummary] {
        try self.records.summaries(of: self.temperature, period: period, range: self.hour(-100)..<self.hour(1_000))
    }

    @Test func periodsBeginByTheSiteClock() {
        #expect(SummaryPeriod.day.start(of: self.hour(23), utcOffsetSeconds: self.offsetSeconds) == self.midnight)
        #expect(SummaryPeriod.day.start(of: self.hour(-1), utcOffsetSeconds: self.offsetSeconds) == self.hour(-24))
        let later = self.hour(5).advanced(byMilliseconds: 3_599_999)
        #expect(SummaryPeriod.hour.start(of: later, utcOffsetSeconds: self.offsetSeconds) == self.hour(5))
    }

    @Test func storingAgainReplaces() throws {
        let first = self.summary(1, 20, 22, sum: 42, count: 2)
        #expect(try self.records.upsert([first], period: .hour) == 1)
        #expect(try self.records.upsert([first], period: .hour) == 1)
        #expect(try self.stored(.hour).map(\.rollup) == [first.rollup])
        let better = self.summary(1, 19, 22, sum: 61, count: 3, bad: 1)
        try self.records.upsert([better], period: .hour)
        #expect(try self.stored(.hour).map(\.rollup) == [better.rollup])
        #expect(try self.stored(.hour).first?.unit == "Cel")
        #expect(try self.stored(.hour).first?.node?.rawValue == "r101")
    }

    @Test func emptyAndUnknownAreLeftOut() throws {
        let unknown = PointID(device: DeviceID(rawValue: "am103"), name: "nothing")
        let batch = [
            self.summary(1, 0, 0, sum: 0, count: 0), self.summary(1, 1, 1, sum: 1, count: 1, point: unknown),
            self.summary(2, 0, 0, sum: 0, count: 0, bad: 7),
        ]
        #expect(try self.records.upsert(batch, period: .hour) == 1)
        #expect(try self.stored(.hour).map(\.rollup) == [batch[2].rollup])
        #expect(try self.stored(.hour).first?.rollup.mean == nil)
    }

    @Test func numberThatIsNotFiniteIsRefusedWhole() throws {
        let batch = [self.summary(1, 1, 1, sum: 1, count: 1), self.summary(2, 1, .infinity, sum: 1, count: 1)]
        #expect(throws: RecordsError.self) { try self.records.upsert(batch, period: .hour) }
        #expect(try self.stored(.hour).isEmpty)
    }

    @Test func hoursArePendingExactlyOnceAcrossDowntime() throws {
        #expect(try self.pending(.hour, now: 0) == [])
        #expect(try self.pending(.hour, now: 3) == [self.hour(0), self.hour(1), self.hour(2)])
        for number in 0..<3 as Range<Int64> {
            let summary = self.summary(number, 1, 1, sum: 1, count: 1)
            try self.records.upsert([summary], period: .hour, completing: [self.hour(number)])
        }
        #expect(try self.pending(.hour, now: 3) == [])
        // Down for two hours; the ring still has them.
        #expect(try self.pending(.hour, now: 6) == [self.hour(3), self.hour(4), self.hour(5)])
        // Down for long: the ring begins after the gap.
        #expect(try self.pending(.hour, since: 100, now: 102) == [self.hour(100), self.hour(101)])
        try self.records.close()
        let again = try Fixture.records(in: self.folder)
        let starts = try again.summariesPending(
            .hour,
            since: self.hour(0),
            now: self.hour(4),
            utcOffsetSeconds: self.offsetSeconds
        )
        #expect(starts == [self.hour(3)])
    }

    @Test func listOfPendingPeriodsIsBounded() throws {
        let starts = try self.records.summariesPending(
            .hour,
            since: Tick(milliseconds: 0),
            now: self.midnight,
            utcOffsetSeconds: 0,
            limit: 10
        )
        #expect(starts.count == 10)
        #expect(starts.first == Tick(milliseconds: 0))
    }

    @Test func dayWaitsForItsHoursAndComesFromThem() throws {
        #expect(try self.pending(.day, now: 48) == [])
        for number in 0..<24 as Range<Int64> {
            let summary = self.summary(
                number,
                Double(number),
                Double(number + 1),
                sum: Double(number) * 10,
                count: 10,
                bad: 1
            )
            try self.records.upsert([summary], period: .hour, completing: [self.hour(number)])
            #expect(try self.pending(.day, now: 48) == (number == 23 ? [self.midnight] : []))
        }
        try self.records.summarizeDay(startingAt: self.midnight)
        try self.records.summarizeDay(startingAt: self.midnight)
        let days = try self.stored(.day)
        #expect(days.count == 1)
        #expect(
            days.first?.rollup
                == Rollup(start: self.midnight, minimum: 0, maximum: 24, sum: 2_760, count: 240, badCount: 24)
        )
        #expect(try self.pending(.day, now: 48) == [])
    }

    @Test func lateSamplesReopenTheirHourAndDayOnce() throws {
        let hours = (0..<24).map { self.hour($0) }
        try self.records.upsert([self.summary(5, 1, 1, sum: 1, count: 1)], period: .hour, completing: hours)
        try self.records.summarizeDay(startingAt: self.midnight)
        let late = self.hour(5).advanced(byMilliseconds: 1_234)
        try self.records.reopenSummaries([late, late, self.hour(30)], utcOffsetSeconds: self.offsetSeconds)
        #expect(try self.pending(.hour, now: 24) == [self.hour(5)])
        #expect(try self.pending(.day, now: 24) == [])
        let summary = self.summary(5, 1, 9, sum: 10, count: 2)
        try self.records.upsert([summary], period: .hour, completing: [self.hour(5)])
        #expect(try self.pending(.hour, now: 24) == [])
        #expect(try self.pending(.day, now: 24) == [self.midnight])
        try self.records.summarizeDay(startingAt: self.midnight)
        #expect(try self.stored(.day).map(\.rollup.maximum) == [9])
        #expect(try self.pending(.day, now: 24) == [])
    }

    @Test func roomsAndFloorsCombineTheirDevices() throws {
        let reader = PointID(device: DeviceID(rawValue: "reader"), name: "temperature")
        let co2 = PointID(device: DeviceID(rawValue: "am103"), name: "co2")
        try self.records.upsert(
            [
                self.summary(1, 20, 22, sum: 42, count: 2),
                self.summary(1, 18, 30, sum: 108, count: 4, bad: 1, point: reader),
                self.summary(1, 500, 900, sum: 1_400, count: 2, point: co2),
            ],
            period: .hour
        )
        func summaries(_ node: String, name: String? = nil) throws -> [NodeSummary] {
            try self.records.summaries(
                inside: NodeID(rawValue: node),
                name: name,
                period: .hour,
                range: self.hour(0)..<self.hour(2)
            )
        }
        #expect(try summaries("r101").map(\.name) == ["co2", "temperature"])
        let floor = try #require(try summaries("floor1", name: "temperature").first)
        #expect(floor.deviceCount == 2)
        #expect(
            floor.rollup
                == Rollup(start: self.hour(1), minimum: 18, maximum: 30, sum: 150, count: 6, badCount: 1)
        )
        #expect(floor.rollup.mean == 25)
        #expect(try summaries("r102").count == 1)
        #expect(try summaries("nowhere").isEmpty)
    }

    @Test func pointsOfDifferentUnitsAreNotMixed() throws {
        try self.records.upsert([self.summary(1, 20, 22, sum: 42, count: 2)], period: .hour)
        var fahrenheit = self.summary(1, 70, 72, sum: 142, count: 2)
        fahrenheit.point = PointID(device: DeviceID(rawValue: "reader"), name: "temperature")
        fahrenheit.unit = "[degF]"
        try self.records.upsert([fahrenheit], period: .hour)
        let rows = try self.records.summaries(
            inside: NodeID(rawValue: "site"),
            period: .hour,
            range: self.hour(0)..<self.hour(2)
        )
        #expect(rows.map(\.unit) == ["Cel", "[degF]"])
    }

    @Test func historyOutlivesTheDeviceUntilItIsErased() throws {
        try self.records.upsert(
            (0..<10).map { self.summary($0, 1, 1, sum: 1, count: 1) },
            period: .hour
        )
        var site = SiteRows.example
        site.devices.removeFirst()
        site.points.removeAll { $0.id.device.rawValue == "am103" }
        try self.records.sync(site: site)
        #expect(try self.stored(.hour).count == 10)
        #expect(try self.records.eraseSummaries(.hour, before: self.hour(4), actor: "retention") == 4)
        #expect(try self.stored(.hour).map(\.rollup.start) == (4..<10).map { self.hour($0) })
    }
}
