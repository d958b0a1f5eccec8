import CampusModel
import SchoolRecords
import Testing

@testable import GatewayApp

/// The table of a room's hours and days.
struct RoomSummaryTests {
    private static let start = Tick(milliseconds: 1_790_000_000_000 - 1_790_000_000_000 % 86_400_000)

    private func summary(_ name: String, _ unit: String, hour: Int64, mean: Double, count: UInt32 = 2) -> NodeSummary {
        let rollup = Rollup(
            start: Self.start.advanced(byMilliseconds: hour * 3_600_000),
            minimum: mean - 1.25,
            maximum: mean + 1,
            sum: mean * Double(count),
            count: count,
            badCount: 0
        )
        return NodeSummary(node: NodeID(rawValue: "r1"), name: name, unit: unit, deviceCount: 1, rollup: rollup)
    }

    private func rows(_ content: [String: Any]) -> [(start: String, cells: [String])] {
        (content["rows"] as? [[String: Any]] ?? [])
            .map { row in
                let cells = (row["cells"] as? [[String: Any]] ?? []).map { "\($0["mean"] ?? "")|\($0["range"] ?? "")" }
                return (row["start"] as? String ?? "", cells)
            }
    }

    @Test func hoursAreRowsInLocalTimeNewestFirstWithTheLanguagesMark() {
        let summary = RoomSummary(
            period: .hour,
            columns: [
                .init(name: "t", unit: "Cel", title: LocalizedText(vi: "Nhiệt độ", en: "Temperature")),
                .init(name: "co2", unit: "[ppm]", title: LocalizedText(vi: "CO₂", en: "CO₂")),
                .init(name: "never", unit: "lx", title: LocalizedText(vi: "Độ rọi", en: "Light")),
            ],
            summaries: [
                self.summary("t", "Cel", hour: 1, mean: 21.45), self.summary("co2", "[ppm]", hour: 1, mean: 1_012.7),
                self.summary("t", "Cel", hour: 2, mean: 22), self.summary("t", "K", hour: 2, mean: 295),
            ]
        )
        let vietnamese = summary.content(.vi, utcOffsetSeconds: 25_200)
        #expect(self.rows(vietnamese).map(\.start) == ["09-21 09:00", "09-21 08:00"])
        #expect(
            self.rows(vietnamese).map(\.cells) == [
                ["22|20,8 – 23", "–|"], ["21,5|20,2 – 22,5", "1013|1011 – 1014"],
            ]
        )
        #expect((vietnamese["columns"] as? [[String: Any]])?.count == 2, "a column without a value is left out")
        #expect(self.rows(summary.content(.en, utcOffsetSeconds: 0))[1].cells[0] == "21.5|20.2 – 22.5")
    }

    @Test func aRoomWithoutAWholePeriodSaysSo() {
        let content = RoomSummary(period: .day, columns: [], summaries: []).content(.vi, utcOffsetSeconds: 0)
        #expect(content["has_rows"] as? Bool == false)
        #expect(content["empty"] as? String == "Chưa có ngày nào trọn vẹn để tổng kết.")
    }

    @Test(arguments: [
        ("timeout", "Không trả lời kịp"), ("exception2", "Thiết bị không có địa chỉ này"),
        ("exception99", "Thiết bị báo lỗi Modbus 99"), ("jsonSyntax", "JSON sai cú pháp"),
    ])
    func faultsHaveWords(code: String, words: String) { #expect(FaultReason.label(code).vi == words) }
}
