import CampusModel
import Testing

@testable import SchoolRecords

/// Transitions of alerts: all or nothing, numbered without a gap.
struct AlertTests {
    private static func row(_ sequence: Int64, _ priority: String = "low", tick: Int64 = 1_000) -> AlertTransitionRow {
        AlertTransitionRow(
            sequence: sequence,
            tick: Tick(milliseconds: tick),
            rule: "co2-high",
            instance: "d\(sequence % 2)/co2",
            kind: "raised",
            activation: sequence,
            state: "unacknowledged",
            isActive: true,
            isAcknowledged: false,
            priority: priority,
            isLifeSafety: priority == "critical",
            node: NodeID(rawValue: "p1"),
            incident: 3,
            value: 1_234.5,
            limit: 1_100,
            timetable: "lesson",
            actor: "engine",
            note: "ghi chú",
            until: Tick(milliseconds: 5)
        )
    }

    private static func progress(_ sequence: Int64) -> AlertProgress {
        AlertProgress(sequence: sequence, processed: Tick(milliseconds: 77), incident: 3)
    }

    private func withRecords(_ work: (Records, ManualClock) throws -> Void) throws {
        let folder = try TemporaryFolder()
        let clock = ManualClock()
        let records = try Fixture.records(in: folder, clock: clock)
        try work(records, clock)
        try records.close()
    }

    @Test func transitionsStatesAndOutboxAreWrittenTogether() throws {
        try self.withRecords { records, _ in
            let state = AlertStateRow(
                rule: "co2-high",
                instance: "d1/co2",
                node: NodeID(rawValue: "p1"),
                snapshot: "{\"a\":1}"
            )
            try records.commit(alerts: [Self.row(1), Self.row(2)], states: [state], progress: Self.progress(2))
            let (states, progress) = try records.alertStates()
            #expect(states == [state])
            #expect(progress == Self.progress(2))
            #expect(try records.outbox(limit: 10) == [Self.row(1), Self.row(2)])
            #expect(try records.outboxDepth() == 2)
            #expect(try records.alertTransitions().items == [Self.row(2), Self.row(1)])
            #expect(try records.alertTransitions(of: ("co2-high", "d1/co2")).items.map(\.sequence) == [1])
            let gone = AlertStateRow(rule: "co2-high", instance: "d1/co2", node: NodeID(rawValue: "p1"), snapshot: nil)
            try records.commit(alerts: [], states: [gone], progress: Self.progress(2))
            #expect(try records.alertStates().states.isEmpty)
        }
    }

    @Test(arguments: [[2], [1, 3], [1, 1], [1, 2, 2]] as [[Int64]])
    func aGapOrARepeatedNumberIsRefusedAndNothingIsKept(numbers: [Int64]) throws {
        try self.withRecords { records, _ in
            #expect(throws: RecordsError.self) {
                try records.commit(
                    alerts: numbers.map { Self.row($0) },
                    states: [],
                    progress: Self.progress(numbers.last ?? 0)
                )
            }
            let kept = try records.alertTransitions().items
            let progress = try records.alertStates().progress
            #expect(kept.isEmpty && progress.sequence == 0)
        }
    }

    @Test func progressMustFit() throws {
        try self.withRecords { records, _ in
            #expect(throws: RecordsError.self) {
                try records.commit(alerts: [Self.row(1)], states: [], progress: Self.progress(5))
            }
        }
    }

    @Test func pagesFollowEachOther() throws {
        try self.withRecords { records, _ in
            try records.commit(alerts: (1...5).map { Self.row($0) }, states: [], progress: Self.progress(5))
            let first = try records.alertTransitions(pageSize: 2)
            #expect(first.items.map(\.sequence) == [5, 4])
            let second = try records.alertTransitions(before: first.next, pageSize: 10)
            #expect(second.items.map(\.sequence) == [3, 2, 1])
            #expect(second.next == nil)
        }
    }

    @Test func oldOnesAreErasedButCriticalOnesWaitForTheCentre() throws {
        try self.withRecords { records, _ in
            let rows = [Self.row(1), Self.row(2, "critical"), Self.row(3, tick: 9_000)]
            try records.commit(alerts: rows, states: [], progress: Self.progress(3))
            #expect(try records.eraseAlerts(before: Tick(milliseconds: 5_000), actor: "gateway") == 1)
            #expect(try records.outbox(limit: 10).map(\.sequence) == [2, 3])
            // Numbers go on all the same.
            try records.commit(alerts: [Self.row(4)], states: [], progress: Self.progress(4))
        }
    }
}
