import CampusModel
import Foundation
import GRDB
import Testing

@testable import SchoolRecords

@Suite struct EventTests {
    let folder: TemporaryFolder
    let records: Records
    let start = Tick(milliseconds: 1_790_000_000_000)

    init() throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder)
        try self.records.sync(site: .example)
    }

    private func card(
        _ uid: String = "04A1B2C3D4E5F6",
        name: String = "Nguyễn Thị Minh Khai",
        at seconds: Int64 = 0,
        sequence: String? = nil,
        windowMilliseconds: Int64 = 0,
        device: String = "reader"
    ) -> Event {
        Event(
            device: DeviceID(rawValue: device),
            name: "card",
            kind: .card,
            tick: self.start.advanced(byMilliseconds: seconds * 1_000),
            sequence: sequence,
            windowMilliseconds: windowMilliseconds,
            fields: [
                Event.Field(name: "uid", text: uid, privacy: .hash),
                Event.Field(name: "holder", text: name, privacy: .mask),
                Event.Field(name: "door", text: "north", privacy: .none),
                Event.Field(name: "face", text: "FACE-TEMPLATE-BYTES", privacy: .drop),
            ]
        )
    }

    private func store(_ events: [Event]) throws -> EventStoreResult {
        try self.records.store(events: events, received: self.start)
    }

    @Test func numberedEventIsStoredOnce() throws {
        let batch = (0..<10).map { self.card(at: $0, sequence: "\($0)") }
        #expect(try self.store(batch) == EventStoreResult(stored: 10, duplicates: 0))
        #expect(try self.store(batch) == EventStoreResult(stored: 0, duplicates: 10))
        #expect(try self.store([self.card(at: 99, sequence: "3")]) == EventStoreResult(stored: 0, duplicates: 1))
        #expect(
            try self.store([self.card(sequence: "3", device: "other")]) == EventStoreResult(stored: 1, duplicates: 0)
        )
        #expect(try self.records.eventCount() == 11)
    }

    @Test(
        arguments: [(0, 3_000, 1), (3, 3_000, 1), (-3, 3_000, 1), (4, 3_000, 2), (-4, 3_000, 2), (0, 0, 2)]
            as [(Int64, Int64, Int)]
    )
    func equalContentWithinTheWindowIsOneEvent(laterSeconds: Int64, window: Int64, expected: Int) throws {
        _ = try self.store([self.card(windowMilliseconds: window)])
        _ = try self.store([self.card(at: laterSeconds, windowMilliseconds: window)])
        #expect(try self.records.eventCount() == expected)
    }

    @Test func otherContentWithinTheWindowIsAnotherEvent() throws {
        let batch = [
            self.card("04AA", windowMilliseconds: 5_000), self.card("04AB", windowMilliseconds: 5_000),
            self.card("04AA", windowMilliseconds: 5_000),
        ]
        #expect(try self.store(batch) == EventStoreResult(stored: 2, duplicates: 1))
    }

    @Test func whatVariesFromReportToReportDoesNotMakeAnotherEvent() throws {
        var first = self.card(windowMilliseconds: 5_000)
        var second = first
        first.fields.append(Event.Field(name: "rssi", text: "-60", privacy: .none, isIdentity: false))
        second.fields.append(Event.Field(name: "rssi", text: "-71", privacy: .none, isIdentity: false))
        #expect(try self.store([first, second]) == EventStoreResult(stored: 1, duplicates: 1))
        second.fields[second.fields.count - 1].isIdentity = true
        #expect(try self.store([second]) == EventStoreResult(stored: 1, duplicates: 0))
    }

    @Test func duplicatesAreKnownAfterARestart() throws {
        _ = try self.store([self.card(sequence: "1"), self.card(at: 5, windowMilliseconds: 2_000)])
        try self.records.close()
        let again = try Fixture.records(in: self.folder)
        let batch = [self.card(sequence: "1"), self.card(at: 6, windowMilliseconds: 2_000)]
        #expect(try again.store(events: batch, received: self.start) == EventStoreResult(stored: 0, duplicates: 2))
    }

    @Test func personalFieldsFollowTheirClass() throws {
        _ = try self.store([self.card()])
        let full = try #require(try self.records.events(for: .facility).items.first)
        #expect(full.fields.map(\.name) == ["uid", "holder", "door"])
        #expect(full.fields[0].text == self.records.pseudonym(of: "04A1B2C3D4E5F6"))
        #expect(full.fields[0].text.count == 64)
        #expect(full.fields[1].text == "Nguyễn Thị Minh Khai")
        #expect(full.fields[2].text == "north")
        let masked = try #require(try self.records.events(for: .viewer).items.first)
        #expect(masked.fields[0].text == "••••" + full.fields[0].text.suffix(2))
        #expect(masked.fields[1].text == "••••ai")
        #expect(masked.fields[2].text == "north")
        #expect(full.node?.rawValue == "r102")
    }

    @Test func cardNumbersAndDroppedFieldsAreNotInTheFiles() throws {
        let uids = (0..<100).map { "04FEEDBEEF\($0)CAFE" }
        _ = try self.store(uids.enumerated().map { self.card($1, at: Int64($0), sequence: "\($0)") })
        func leaks() throws -> [String] {
            let bytes = try self.folder.allBytes()
            return (uids + ["FACE-TEMPLATE-BYTES"]).filter { bytes.range(of: Data($0.utf8)) != nil }
        }
        #expect(try leaks() == [])
        #expect(try self.folder.allBytes().range(of: Data(self.records.pseudonym(of: uids[42]).utf8)) != nil)
        try self.records.close()
        #expect(try leaks() == [])
    }

    @Test func pseudonymsDifferBetweenSchools() {
        #expect(SiteKey.fixed(1).pseudonym(of: "04A1") != SiteKey.fixed(2).pseudonym(of: "04A1"))
    }

    @Test func pagesAreCompleteAndInOrder() throws {
        // Several events in one tick: the page border falls between them.
        _ = try self.store((0..<25).map { self.card(at: Int64($0 / 4), sequence: "\($0)") })
        var seen: [Int64] = []
        var cursor: EventCursor?
        repeat {
            let page = try self.records.events(for: .viewer, before: cursor, pageSize: 7)
            seen += page.items.map(\.id)
            cursor = page.next
        } while cursor != nil
        #expect(seen == (1...25).reversed())
    }

    @Test func queriesFilterByDeviceNodeKindAndRange() throws {
        var button = self.card(at: 10, sequence: "b", device: "am103")
        button.kind = .button
        button.name = "button"
        _ = try self.store([self.card(sequence: "a"), button, self.card(at: 20, sequence: "c", device: "unknown")])
        func sequences(_ query: EventQuery) throws -> [String?] {
            try self.records.events(matching: query, for: .viewer).items.map(\.sequence)
        }
        #expect(try sequences(EventQuery()) == ["c", "b", "a"])
        #expect(try sequences(EventQuery(device: DeviceID(rawValue: "am103"))) == ["b"])
        #expect(try sequences(EventQuery(node: NodeID(rawValue: "r101"))) == ["b"])
        #expect(try sequences(EventQuery(node: NodeID(rawValue: "site"))) == ["b", "a"])
        #expect(try sequences(EventQuery(device: DeviceID(rawValue: "reader"), node: NodeID(rawValue: "r101"))) == [])
        #expect(try sequences(EventQuery(kind: .button)) == ["b"])
        #expect(try sequences(EventQuery(name: "card")) == ["c", "a"])
        let range = self.start..<self.start.advanced(byMilliseconds: 20_000)
        #expect(try sequences(EventQuery(range: range)) == ["b", "a"])
    }

    @Test func eventStaysWhereTheDeviceWas() throws {
        _ = try self.store([self.card(sequence: "1")])
        var site = SiteRows.example
        site.devices[1].node = NodeID(rawValue: "r101")
        try self.records.sync(site: site)
        _ = try self.store([self.card(sequence: "2")])
        #expect(try self.records.events(for: .viewer).items.map(\.node?.rawValue) == ["r101", "r102"])
    }

    @Test func extremeEventsAreStoredWithinBounds() throws {
        var event = self.card(String(repeating: "9", count: 1_000_000), name: "'; DROP TABLE events; --")
        event.tick = Tick(rawValue: .max)
        event.windowMilliseconds = .max
        event.sequence = nil
        event.fields += (0..<200).map { Event.Field(name: "f\($0)", text: "\u{0}\u{1F600}", privacy: .none) }
        event.fields.insert(
            Event.Field(name: "long", text: String(repeating: "ă", count: 100_000), privacy: .none),
            at: 0
        )
        #expect(try self.store([event]).stored == 1)
        event.tick = Tick(rawValue: .min)
        event.name = "other"
        #expect(try self.store([event]).stored == 1)
        let record = try #require(try self.records.events(for: .administrator).items.first)
        #expect(record.fields[0].text.utf8.count <= 1_024)
        #expect(record.fields[2].text == "'; DROP TABLE events; --")
        #expect(record.fields.count <= 64)
        #expect(self.records.counters.fieldsShortened > 0)
    }

    @Test func failedBatchLeavesNothing() throws {
        try self.records.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.sequence = 'bad'
                    BEGIN SELECT RAISE(ABORT, 'refused'); END
                    """
            )
        }
        #expect(throws: RecordsError.self) {
            try self.store([self.card(sequence: "1"), self.card(sequence: "bad"), self.card(sequence: "2")])
        }
        #expect(try self.records.eventCount() == 0)
    }

    @Test func erasedEventsLeaveNoBytes() throws {
        _ = try self.store([self.card(name: "TRAN-VAN-ERASED", sequence: "1"), self.card(at: 100, sequence: "2")])
        #expect(try self.folder.allBytes().range(of: Data("TRAN-VAN-ERASED".utf8)) != nil)
        let border = self.start.advanced(byMilliseconds: 50_000)
        #expect(try self.records.eraseEvents(before: border, actor: "retention") == 1)
        #expect(try self.records.eraseEvents(before: border, actor: "retention") == 0)
        try self.records.close()
        #expect(try self.folder.allBytes().range(of: Data("TRAN-VAN-ERASED".utf8)) == nil)
    }
}
