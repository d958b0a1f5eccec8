package import CampusModel
internal import GRDB

extension Records {
    /// Stores summaries of points, replacing those of the same point and period: storing them again changes nothing.
    ///
    /// With `completing`, the periods with these starts are done, in the same transaction: they are not pending again.
    /// Summaries with nothing usable and nothing bad are left out.
    package func upsert(
        _ summaries: [PointSummary],
        period: SummaryPeriod,
        completing starts: [Tick] = []
    ) throws {
        try self.write { db in
            for summary in summaries { try Self.put(summary, period, in: db) }
            try Self.complete(starts, period, in: db)
        }
    }

    /// Makes the day summaries of the day that starts at `start` from its hour summaries, and completes the day.
    ///
    /// Every hour of the day must be complete; the ring may have forgotten the samples by then.
    package func summarizeDay(startingAt start: Tick) throws {
        let end = start.advanced(byMilliseconds: SummaryPeriod.day.milliseconds)
        try self.write { db in
            try db.execute(
                sql: """
                    INSERT INTO summaries
                        (period, device, point, start, node, unit, minimum, maximum, sum, count, bad_count)
                    SELECT 'day', device, point, :start, node, unit, min(minimum), max(maximum), sum(sum), sum(count),
                        sum(bad_count)
                    FROM (SELECT * FROM summaries WHERE period = 'hour' AND start >= :start AND start < :end
                        ORDER BY start)
                    WHERE true
                    GROUP BY device, point
                    ON CONFLICT (period, device, point, start) DO UPDATE SET node = excluded.node,
                        unit = excluded.unit, minimum = excluded.minimum, maximum = excluded.maximum,
                        sum = excluded.sum, count = excluded.count, bad_count = excluded.bad_count
                    """,
                arguments: ["start": start.rawValue, "end": end.rawValue]
            )
            try Self.complete([start], .day, in: db)
        }
    }

    /// The starts of the periods that are over at `now` and not complete, oldest first, at most `limit`.
    ///
    /// Begins at the first period that was never completed, or, at the very first time, at the period of `since`
    /// (the oldest roll-up there is); goes back further only for periods that ``reopenSummaries(_:holding:)`` named.
    package func summariesPending(
        _ period: SummaryPeriod,
        since: Tick,
        now: Tick,
        utcOffsetSeconds: Int64,
        limit: Int = 1_000
    ) throws -> [Tick] {
        let (reopened, progress) = try self.read { db in
            (
                try Int64.fetchAll(
                    db,
                    sql: "SELECT start FROM summary_reopened WHERE period = ? ORDER BY start LIMIT ?",
                    arguments: [period.rawValue, max(limit, 0)]
                ),
                try Self.progress(period, in: db)
            )
        }
        var starts = reopened.map(Tick.init(milliseconds:)).filter {
            $0.advanced(byMilliseconds: period.milliseconds) <= now
        }
        let oldest = period.start(of: since, utcOffsetSeconds: utcOffsetSeconds)
        // After a long downtime the ring has forgotten the gap: periods before its oldest roll-up cannot be filled.
        var next = progress.map { max($0, oldest) } ?? oldest
        while starts.count < limit, next.advanced(byMilliseconds: period.milliseconds) <= now {
            starts.append(next)
            next = next.advanced(byMilliseconds: period.milliseconds)
        }
        return Array(Set(starts)).sorted()
    }

    /// Says that samples with old ticks arrived (a replay, a reader's log): the periods that hold these ticks are
    /// pending again, once. Periods that are pending anyway are not touched.
    package func reopenSummaries(_ ticks: some Sequence<Tick>, utcOffsetSeconds: Int64) throws {
        let all = Array(ticks)
        try self.write { db in
            for period in SummaryPeriod.allCases {
                guard let progress = try Self.progress(period, in: db) else { continue }
                let starts = Set(all.map { period.start(of: $0, utcOffsetSeconds: utcOffsetSeconds) })
                for start in starts where start < progress {
                    try db.execute(
                        sql: "INSERT INTO summary_reopened (period, start) VALUES (?, ?) ON CONFLICT DO NOTHING",
                        arguments: [period.rawValue, start.rawValue]
                    )
                }
            }
        }
    }

    /// The summaries of one point, oldest first, at most 10,000.
    package func summaries(
        of point: PointID,
        period: SummaryPeriod,
        range: Range<Tick>
    ) throws -> [PointSummary] {
        try self.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM summaries
                    WHERE period = ? AND device = ? AND point = ? AND start >= ? AND start < ?
                    ORDER BY start LIMIT 10000
                    """,
                arguments: [
                    period.rawValue, point.device.rawValue, point.name, range.lowerBound.rawValue,
                    range.upperBound.rawValue,
                ]
            )
            .map { row in
                PointSummary(
                    point: point,
                    node: (row["node"] as String?).map(NodeID.init(rawValue:)),
                    unit: row["unit"],
                    rollup: Self.rollup(row)
                )
            }
        }
    }

    /// The summaries of a room, or of any node with everything inside it: one per period, point name and unit, oldest
    /// first, at most 10,000. Where the devices were then counts, not where they are now.
    package func summaries(
        inside node: NodeID,
        name: String? = nil,
        period: SummaryPeriod,
        range: Range<Tick>
    ) throws -> [NodeSummary] {
        try self.read { db in
            try Row.fetchAll(
                db,
                sql: Subtree.sql + """
                     SELECT point, unit, start, min(minimum) AS minimum, max(maximum) AS maximum, sum(sum) AS sum,
                        sum(count) AS count, sum(bad_count) AS bad_count, count(*) AS devices
                    FROM summaries
                    WHERE period = :period AND node IN (SELECT id FROM inside) AND start >= :from AND start < :to
                        AND (:name IS NULL OR point = :name)
                    GROUP BY start, point, unit ORDER BY start, point, unit LIMIT 10000
                    """,
                arguments: [
                    "node": node.rawValue, "period": period.rawValue, "name": name,
                    "from": range.lowerBound.rawValue, "to": range.upperBound.rawValue,
                ]
            )
            .map { row in
                NodeSummary(
                    node: node,
                    name: row["point"],
                    unit: row["unit"],
                    deviceCount: row["devices"],
                    rollup: Self.rollup(row)
                )
            }
        }
    }

    private static func put(_ summary: PointSummary, _ period: SummaryPeriod, in db: Database) throws {
        let rollup = summary.rollup
        guard rollup.count > 0 || rollup.badCount > 0 else { return }
        guard rollup.sum.isFinite, rollup.minimum.isFinite, rollup.maximum.isFinite else {
            throw RecordsError(.invalid, "the summary of '\(summary.point)' is not a finite number")
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO summaries
                    (period, device, point, start, node, unit, minimum, maximum, sum, count, bad_count)
                VALUES (:period, :device, :point, :start,
                    coalesce(:node, (SELECT node FROM devices WHERE id = :device)),
                    coalesce(:unit, (SELECT unit FROM points WHERE device = :device AND name = :point), '1'),
                    :minimum, :maximum, :sum, :count, :bad)
                ON CONFLICT (period, device, point, start) DO UPDATE SET minimum = excluded.minimum,
                    maximum = excluded.maximum, sum = excluded.sum, count = excluded.count,
                    bad_count = excluded.bad_count, node = coalesce(:node, node), unit = coalesce(:unit, unit)
                """
        )
        try statement.execute(arguments: [
            "period": period.rawValue, "device": summary.point.device.rawValue, "point": summary.point.name,
            "start": rollup.start.rawValue, "node": summary.node?.rawValue, "unit": summary.unit,
            "minimum": rollup.count > 0 ? rollup.minimum : nil, "maximum": rollup.count > 0 ? rollup.maximum : nil,
            "sum": rollup.count > 0 ? rollup.sum : 0, "count": Int64(rollup.count), "bad": Int64(rollup.badCount),
        ])
    }

    private static func complete(_ starts: [Tick], _ period: SummaryPeriod, in db: Database) throws {
        guard let last = starts.max() else { return }
        for start in starts {
            try db.execute(
                sql: "DELETE FROM summary_reopened WHERE period = ? AND start = ?",
                arguments: [period.rawValue, start.rawValue]
            )
        }
        try db.execute(
            sql: """
                INSERT INTO summary_progress (period, complete_until) VALUES (?, ?)
                ON CONFLICT (period) DO UPDATE SET complete_until = max(complete_until, excluded.complete_until)
                """,
            arguments: [period.rawValue, last.advanced(byMilliseconds: period.milliseconds).rawValue]
        )
    }

    private static func progress(_ period: SummaryPeriod, in db: Database) throws -> Tick? {
        let sql = "SELECT complete_until FROM summary_progress WHERE period = ?"
        return try Int64.fetchOne(db, sql: sql, arguments: [period.rawValue]).map(Tick.init(milliseconds:))
    }

    private static func rollup(_ row: Row) -> Rollup {
        Rollup(
            start: Tick(milliseconds: row["start"]),
            minimum: (row["minimum"] as Double?) ?? 0,
            maximum: (row["maximum"] as Double?) ?? 0,
            sum: row["sum"],
            count: UInt32(clamping: row["count"] as Int64),
            badCount: UInt32(clamping: row["bad_count"] as Int64)
        )
    }
}
