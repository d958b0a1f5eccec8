package import CampusModel
internal import GRDB

extension Records {
    /// Stores summaries of points, replacing those of the same point and period: storing them again changes nothing.
    ///
    /// With `completing`, the periods with these starts are done, in the same transaction, and not pending again;
    /// complete periods in the order in which ``summariesPending(_:since:now:utcOffsetSeconds:limit:)`` gives them.
    /// Left out are summaries with nothing in them and those of points that the site never had. Returns how many
    /// were stored.
    @discardableResult
    package func upsert(
        _ summaries: [PointSummary],
        period: SummaryPeriod,
        completing starts: [Tick] = []
    ) throws -> Int {
        try self.write { db in
            var count = 0
            for summary in summaries where try Self.put(summary, period, in: db) { count += 1 }
            try Self.complete(starts, period, in: db)
            return count
        }
    }

    /// Makes the day summaries of the day that starts at `start` from its hour summaries, and completes the day.
    ///
    /// The ring may have forgotten the samples by then. Where a point's unit changed during the day, the hours with
    /// the last unit count.
    package func summarizeDay(startingAt start: Tick) throws {
        let end = start.advanced(byMilliseconds: SummaryPeriod.day.milliseconds)
        try self.write { db in
            try db.execute(
                sql: """
                    WITH last (point, start) AS (
                        SELECT points.id, (SELECT max(start) FROM summaries WHERE period = 'hour'
                            AND point = points.id AND start >= :start AND start < :end)
                        FROM points
                    )
                    INSERT INTO summaries
                        (period, point, start, node, unit, minimum, maximum, sum, count, bad_count)
                    SELECT 'day', hours.point, :start, latest.node, latest.unit, min(hours.minimum),
                        max(hours.maximum), sum(hours.sum), sum(hours.count), sum(hours.bad_count)
                    FROM last
                    JOIN summaries AS latest ON latest.period = 'hour' AND latest.point = last.point
                        AND latest.start = last.start
                    JOIN summaries AS hours ON hours.period = 'hour' AND hours.point = last.point
                        AND hours.start >= :start AND hours.start < :end AND hours.unit = latest.unit
                    WHERE last.start IS NOT NULL
                    GROUP BY hours.point
                    ON CONFLICT (period, point, start) DO UPDATE SET node = excluded.node, unit = excluded.unit,
                        minimum = excluded.minimum, maximum = excluded.maximum, sum = excluded.sum,
                        count = excluded.count, bad_count = excluded.bad_count
                    """,
                arguments: ["start": start.rawValue, "end": end.rawValue]
            )
            try Self.complete([start], .day, in: db)
        }
    }

    /// Erases summaries of periods that started before `tick` (their retention is over), at most 10,000 a call;
    /// returns how many.
    @discardableResult
    package func eraseSummaries(_ period: SummaryPeriod, before tick: Tick, actor: String) throws -> Int {
        try self.write { db in
            try db.execute(
                sql: """
                    DELETE FROM summaries WHERE period = :period AND (point, start) IN (
                        SELECT points.id, old.start FROM points CROSS JOIN summaries AS old
                            ON old.period = :period AND old.point = points.id AND old.start < :before
                        LIMIT 10000)
                    """,
                arguments: ["period": period.rawValue, "before": tick.rawValue]
            )
            let count = db.changesCount
            guard count > 0 else { return 0 }
            let detail = ["period": period.rawValue, "before": UTCText.rfc3339(tick), "count": String(count)]
            try AuditDraft(actor: actor, action: "summary.erase", subject: "summaries", detail: detail)
                .append(to: db, at: self.clock.now())
            return count
        }
    }

    /// The starts of the periods that are over at `now` and not complete, oldest first, at most `limit`.
    ///
    /// Begins at the first period that was never completed, or, at the very first time, at the period of `since`
    /// (the oldest roll-up there is); goes back further only for periods that
    /// ``reopenSummaries(_:utcOffsetSeconds:)`` named. A day is pending only when all its hours are complete.
    package func summariesPending(
        _ period: SummaryPeriod,
        since: Tick,
        now: Tick,
        utcOffsetSeconds: Int64,
        limit: Int = 1_000
    ) throws -> [Tick] {
        try self.read { db in
            var end = now
            var openHours: [Tick] = []
            if period == .day {
                guard let hours = try Self.progress(.hour, in: db) else { return [] }
                end = min(end, hours)
                openHours = try Self.reopened(.hour, limit: 100_000, in: db)
            }
            func isOver(_ start: Tick) -> Bool { start.advanced(byMilliseconds: period.milliseconds) <= end }
            let openDays = Set(openHours.map { period.start(of: $0, utcOffsetSeconds: utcOffsetSeconds) })
            var starts = try Self.reopened(period, limit: limit, in: db).filter { isOver($0) && !openDays.contains($0) }
            // After a long downtime the ring has forgotten the gap: what is before its oldest roll-up cannot be filled.
            let oldest = period.start(of: since, utcOffsetSeconds: utcOffsetSeconds)
            var next = max(try Self.progress(period, in: db) ?? oldest, oldest)
            while starts.count < limit, isOver(next) {
                // Days complete in order, so nothing after a day that has to wait.
                if openDays.contains(next) { break }
                starts.append(next)
                next = next.advanced(byMilliseconds: period.milliseconds)
            }
            return Array(Set(starts)).sorted()
        }
    }

    /// Says that samples with old ticks arrived (a replay, a reader's log): the periods that hold these ticks are
    /// pending again, once.
    ///
    /// Periods that are pending anyway are not touched.
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
                    SELECT summaries.* FROM summaries
                    JOIN points ON points.id = summaries.point AND points.device = ? AND points.name = ?
                    WHERE period = ? AND start >= ? AND start < ?
                    ORDER BY start LIMIT 10000
                    """,
                arguments: [
                    point.device.rawValue, point.name, period.rawValue, range.lowerBound.rawValue,
                    range.upperBound.rawValue,
                ]
            )
            .map { row in
                PointSummary(
                    point: point,
                    node: NodeID(rawValue: row["node"]),
                    unit: row["unit"],
                    rollup: Self.rollup(row)
                )
            }
        }
    }

    /// The summaries of a room, or of any node with everything inside it: one per period, point name and unit, oldest
    /// first, at most 10,000.
    ///
    /// Where the devices were then counts, not where they are now.
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
                     SELECT points.name, summaries.unit, start, min(minimum) AS minimum, max(maximum) AS maximum, sum(sum) AS sum,
                        sum(count) AS count, sum(bad_count) AS bad_count, count(*) AS devices
                    FROM summaries INDEXED BY summaries_node JOIN points ON points.id = summaries.point
                    WHERE period = :period AND node IN (SELECT id FROM inside) AND start >= :from AND start < :to
                        AND (:name IS NULL OR points.name = :name)
                    GROUP BY start, points.name, summaries.unit ORDER BY start, points.name, summaries.unit
                    LIMIT 10000
                    """,
                arguments: [
                    "node": node.rawValue, "period": period.rawValue, "name": name,
                    "from": range.lowerBound.rawValue, "to": range.upperBound.rawValue,
                ]
            )
            .map { row in
                NodeSummary(
                    node: node,
                    name: row["name"],
                    unit: row["unit"],
                    deviceCount: row["devices"],
                    rollup: Self.rollup(row)
                )
            }
        }
    }

    private static func put(_ summary: PointSummary, _ period: SummaryPeriod, in db: Database) throws -> Bool {
        let rollup = summary.rollup
        guard rollup.count > 0 || rollup.badCount > 0 else { return false }
        let isUsable = rollup.count > 0
        guard !isUsable || rollup.sum.isFinite && rollup.minimum.isFinite && rollup.maximum.isFinite else {
            throw RecordsError(.invalid, "the summary of '\(summary.point)' is not a finite number")
        }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO summaries (period, point, start, node, unit, minimum, maximum, sum, count, bad_count)
                SELECT :period, points.id, :start, coalesce(:node, devices.node), coalesce(:unit, points.unit),
                    :minimum, :maximum, :sum, :count, :bad
                FROM points JOIN devices ON devices.id = points.device
                WHERE points.device = :device AND points.name = :point
                ON CONFLICT (period, point, start) DO UPDATE SET minimum = excluded.minimum,
                    maximum = excluded.maximum, sum = excluded.sum, count = excluded.count,
                    bad_count = excluded.bad_count, node = coalesce(:node, node), unit = coalesce(:unit, unit)
                """
        )
        try statement.execute(arguments: [
            "period": period.rawValue, "device": summary.point.device.rawValue, "point": summary.point.name,
            "start": rollup.start.rawValue, "node": summary.node?.rawValue, "unit": summary.unit,
            "minimum": isUsable ? rollup.minimum : nil, "maximum": isUsable ? rollup.maximum : nil,
            "sum": isUsable ? rollup.sum : 0, "count": Int64(rollup.count), "bad": Int64(rollup.badCount),
        ])
        return db.changesCount > 0
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

    private static func reopened(_ period: SummaryPeriod, limit: Int, in db: Database) throws -> [Tick] {
        let sql = "SELECT start FROM summary_reopened WHERE period = ? ORDER BY start LIMIT ?"
        return try Int64.fetchAll(db, sql: sql, arguments: [period.rawValue, max(limit, 0)])
            .map(Tick.init(milliseconds:))
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
