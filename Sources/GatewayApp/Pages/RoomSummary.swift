internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import SchoolRecords
internal import SiteConfiguration
internal import WebConsole

/// What the records say of a room by hour or by day: it outlives the ring.
struct RoomSummary {
    /// A quantity of the room: every point of this name and unit.
    struct Column: Hashable {
        var name: String
        var unit: String
        var title: LocalizedText
    }

    var period: SummaryPeriod
    var columns: [Column]
    var summaries: [NodeSummary]

    /// The span of the charts decides: hours beside the hour and the day, days beside longer ones.
    static func period(beside span: String) -> SummaryPeriod { span == "hour" || span == "day" ? .hour : .day }

    /// The last 24 hours, or the last 31 days.
    static func range(of period: SummaryPeriod, now: Tick) -> Range<Tick> {
        now.advanced(byMilliseconds: period == .hour ? -86_400_000 : -31 * 86_400_000)..<now
    }

    /// The table: the newest period first, a row each, a cell for each quantity.
    func content(_ language: Language, utcOffsetSeconds: Int64) -> [String: Any] {
        let cells = Dictionary(grouping: self.summaries, by: \.rollup.start)
        let columns = self.columns.filter { column in
            self.summaries.contains { $0.name == column.name && $0.unit == column.unit && $0.rollup.count > 0 }
        }
        let rows = cells.keys.sorted(by: >)
            .map { start -> [String: Any] in
                let found = cells[start] ?? []
                return [
                    "start": self.text(start, utcOffsetSeconds),
                    "cells": columns.map { column -> [String: Any] in
                        let summary = found.first { $0.name == column.name && $0.unit == column.unit }
                        return [
                            "title": column.title.text(in: language),
                            "mean": Self.number(summary?.rollup.mean, language),
                            "range": Self.range(summary?.rollup, language),
                        ]
                    },
                ]
            }
        return [
            "heading": self.heading.text(in: language),
            "first": LocalizedText(vi: self.period == .hour ? "Giờ" : "Ngày", en: self.period == .hour ? "Hour" : "Day")
                .text(in: language),
            "columns": columns.map { ["title": $0.title.text(in: language), "unit": Units.text(for: $0.unit)] },
            "rows": rows, "has_rows": !rows.isEmpty && !columns.isEmpty,
            "empty": LocalizedText(
                vi: "Chưa có \(self.period == .hour ? "giờ" : "ngày") nào trọn vẹn để tổng kết.",
                en: "No whole \(self.period == .hour ? "hour" : "day") has been summed up yet."
            )
            .text(in: language),
        ]
    }

    private var heading: LocalizedText {
        self.period == .hour
            ? LocalizedText(vi: "Tổng kết từng giờ, 24 giờ qua", en: "By hour, the last 24 hours")
            : LocalizedText(vi: "Tổng kết từng ngày, 31 ngày qua", en: "By day, the last 31 days")
    }

    private func text(_ start: Tick, _ utcOffsetSeconds: Int64) -> String {
        let text = LocalTime.text(start, utcOffsetSeconds)
        return String(self.period == .hour ? text.dropFirst(5).prefix(11) : text.prefix(10))
    }

    /// Three digits that matter are enough for a glance.
    private static func number(_ value: Double?, _ language: Language) -> String {
        guard let value, value.isFinite else { return "–" }
        let factor: Double = abs(value) >= 100 ? 1 : abs(value) >= 10 ? 10 : 100
        return ValueText.localized((value * factor).rounded() / factor).text(in: language)
    }

    private static func range(_ rollup: Rollup?, _ language: Language) -> String {
        guard let rollup, rollup.count > 0, rollup.minimum < rollup.maximum else { return "" }
        return "\(self.number(rollup.minimum, language)) – \(self.number(rollup.maximum, language))"
    }
}

extension PageRoutes {
    /// The summary of one room, with the quantities that people look for first.
    func summary(of node: SiteDefinition.Node, beside span: String) async throws -> RoomSummary {
        var columns: [RoomSummary.Column] = []
        for runtime in self.gateway.engine.devices where runtime.device.node == node.id {
            for point in runtime.device.profile.points
            where !point.isHidden && point.kind == .number && point.privacy == .none {
                let isKnown = columns.contains { $0.name == point.name && $0.unit == point.unit }
                guard Self.headlineUnits.contains(point.unit), !isKnown, columns.count < 6 else { continue }
                columns.append(.init(name: point.name, unit: point.unit, title: point.title))
            }
        }
        let period = RoomSummary.period(beside: span)
        let range = RoomSummary.range(of: period, now: self.gateway.now)
        let found = try await self.gateway.records.perform { records in
            try records.summaries(inside: node.id, period: period, range: range)
        }
        return RoomSummary(period: period, columns: columns, summaries: found)
    }
}
