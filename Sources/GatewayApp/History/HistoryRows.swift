internal import CampusModel
internal import NIOCore
internal import TimeSeriesRing

/// The bytes of an answer with history, made piece by piece in bounded memory.
struct HistoryRows {
    /// How the rows are written.
    enum Form: Sendable {
        /// A page of one point: `{"items":[{"at":…}],"next":…}`.
        case items(limit: Int)
        /// Many points: `{"columns":[…],"series":[{"point":…,"rows":[[…]]}]}`.
        case columns
        /// A table with a column for the point, as `campusctl import` reads it.
        case table
        /// The same of one point, without that column; at most `limit` rows.
        case pointTable(limit: Int)
    }

    /// What is asked for.
    struct Query: Sendable {
        var series: [HistorySeries]
        var range: Range<Tick>
        /// Milliseconds of a row of statistics; samples without one.
        var step: Int64?
        var form: Form
    }

    private enum Slices {
        case samples(SampleSlices)
        case rollups(RollupSlices)
    }

    /// A piece is handed over when it has so many bytes, or has taken so long.
    private static let pieceBytes = 64 << 10
    private static let pieceTime = Duration.milliseconds(4)

    private let ring: TimeSeriesRing
    private let query: Query
    private let limit: Int
    private var text = HistoryText()
    private var index = -1
    private var slices: Slices?
    private var rowsOfSeries = 0
    /// The start of the last row that was written.
    private var last: Int64?
    /// Where the next page begins.
    private var next: Int64?
    private(set) var rowCount = 0
    private var isDone = false

    init(_ query: Query, ring: TimeSeriesRing) {
        self.ring = ring
        self.query = query
        self.limit =
            switch query.form {
            case .items(let limit), .pointTable(let limit): limit
            default: .max
            }
        self.text.reserve(Self.pieceBytes * 2)
    }

    /// The next piece, `nil` at the end; a piece may be empty when the time was up before there were rows.
    mutating func piece() -> ByteBuffer? {
        guard !self.isDone else { return nil }
        self.text.clear()
        let start = ContinuousClock.now
        if self.index < 0 {
            self.begin()
            self.advance()
        }
        while !self.isDone, self.text.count < Self.pieceBytes, ContinuousClock.now - start < Self.pieceTime {
            if !self.putSlice() { self.advance() }
        }
        return ByteBuffer(bytes: self.text.bytes)
    }

    private mutating func begin() {
        switch self.query.form {
        case .items: self.text.put(#"{"items":["#)
        case .columns:
            if let step = self.query.step {
                self.text.put(#"{"columns":["time","mean","minimum","maximum","count","badCount"],"stepMilliseconds":"#)
                self.text.put(step)
                self.text.put(#","series":["#)
            } else {
                self.text.put(#"{"columns":["time","value","quality"],"series":["#)
            }
        case .table, .pointTable:
            if case .table = self.query.form { self.text.put("point,") }
            self.text.put(self.query.step == nil ? "at,value,quality" : "at,mean,minimum,maximum,count,badCount")
            self.endLine()
        }
    }

    private mutating func endLine() {
        // The table of one point has the line ends that it always had; the other one is a file of a Unix shell.
        if case .pointTable = self.query.form { self.text.put("\r\n") } else { self.text.put("\n") }
    }

    /// Ends the series under way and begins the next one, or ends it all.
    private mutating func advance() {
        if case .columns = self.query.form, self.slices != nil { self.text.put("]}") }
        self.slices = nil
        self.index += 1
        guard self.index < self.query.series.count, self.next == nil else { return self.end() }
        let series = self.query.series[self.index]
        self.rowsOfSeries = 0
        if let step = self.query.step {
            self.slices = .rollups(
                RollupSlices(self.ring, series.index, self.query.range, step: step, clock: series.clock)
            )
        } else {
            self.slices = .samples(SampleSlices(self.ring, series.index, self.query.range))
        }
        guard case .columns = self.query.form else { return }
        if self.index > 0 { self.text.put(",") }
        self.text.put(#"{"point":"#)
        self.text.put(JSONText.quoted(series.name))
        self.text.put(#","unit":"#)
        self.text.put(JSONText.quoted(series.unit))
        self.text.put(#","rows":["#)
    }

    private mutating func end() {
        self.isDone = true
        switch self.query.form {
        case .items:
            self.text.put("]")
            if let next {
                self.text.put(#","next":""#)
                self.text.put(time: next)
                self.text.put("\"")
            }
            self.text.put("}")
        case .columns: self.text.put("]}")
        case .table, .pointTable: break
        }
    }

    /// Writes a slice; `false` when the series has no more, or the page is full.
    private mutating func putSlice() -> Bool {
        switch self.slices {
        case .samples(var slices):
            // Taken out, so that its memory is not copied.
            self.slices = nil
            let count = slices.next()
            var isGoing = count > 0
            for row in 0..<count where isGoing {
                isGoing = self.take(slices.ticks[row])
                if isGoing { self.putSample(slices.ticks[row], slices.values[row], slices.qualities[row]) }
            }
            self.slices = .samples(slices)
            return isGoing
        case .rollups(var slices):
            self.slices = nil
            let rows = slices.next()
            var isGoing = !rows.isEmpty
            for row in rows where isGoing {
                isGoing = self.take(row.start.rawValue)
                if isGoing { self.putRollup(row) }
            }
            self.slices = .rollups(slices)
            return isGoing
        case nil: return false
        }
    }

    /// Whether a row of this time still belongs to the page.
    ///
    /// A page never ends between two samples of one instant, so that `from=next` misses none.
    private mutating func take(_ time: Int64) -> Bool {
        if self.rowCount >= self.limit, time != self.last || self.rowCount >= self.limit &+ 10_000 {
            self.next = time
            return false
        }
        self.last = time
        self.rowCount += 1
        self.rowsOfSeries += 1
        return true
    }

    private mutating func putSample(_ tick: Int64, _ value: Double, _ quality: UInt8) {
        let isBad = Quality(rawValue: quality).level == .bad
        switch self.query.form {
        case .items:
            self.text.put(self.rowsOfSeries > 1 ? #",{"at":""# : #"{"at":""#)
            self.text.put(time: tick)
            self.text.put(#"","quality":""#)
            self.text.put(quality: quality)
            self.text.put("\"")
            if !isBad {
                self.text.put(#","value":"#)
                self.text.put(value)
            }
            self.text.put("}")
        case .columns:
            self.text.put(self.rowsOfSeries > 1 ? ",[" : "[")
            self.text.put(tick)
            self.text.put(",")
            if isBad { self.text.put("null") } else { self.text.put(value) }
            self.text.put(",\"")
            self.text.put(quality: quality)
            self.text.put("\"]")
        case .table, .pointTable:
            self.putPoint()
            self.text.put(time: tick)
            self.text.put(",")
            if !isBad { self.text.put(value) }
            self.text.put(",")
            self.text.put(quality: quality)
            self.endLine()
        }
    }

    private mutating func putPoint() {
        guard case .table = self.query.form else { return }
        self.text.put(self.query.series[self.index].name)
        self.text.put(",")
    }

    private mutating func putRollup(_ row: Rollup) {
        switch self.query.form {
        case .items:
            self.text.put(self.rowsOfSeries > 1 ? #",{"at":""# : #"{"at":""#)
            self.text.put(time: row.start.rawValue)
            self.text.put(#"","badCount":"#)
            self.text.put(Int64(row.badCount))
            self.text.put(#","count":"#)
            self.text.put(Int64(row.count))
            if let mean = row.mean {
                self.text.put(#","maximum":"#)
                self.text.put(row.maximum)
                self.text.put(#","mean":"#)
                self.text.put(mean)
                self.text.put(#","minimum":"#)
                self.text.put(row.minimum)
            }
            self.text.put("}")
        case .columns:
            self.text.put(self.rowsOfSeries > 1 ? ",[" : "[")
            self.text.put(row.start.rawValue)
            self.putFigures(row, empty: "null")
            self.text.put("]")
        case .table, .pointTable:
            self.putPoint()
            self.text.put(time: row.start.rawValue)
            self.putFigures(row, empty: "")
            self.endLine()
        }
    }

    /// Mean, minimum, maximum, count and count of bad samples, each behind a comma.
    private mutating func putFigures(_ row: Rollup, empty: StaticString) {
        let mean = row.mean
        for figure in [mean, mean.map { _ in row.minimum }, mean.map { _ in row.maximum }] {
            self.text.put(",")
            if let figure { self.text.put(figure) } else { self.text.put(empty) }
        }
        self.text.put(",")
        self.text.put(Int64(row.count))
        self.text.put(",")
        self.text.put(Int64(row.badCount))
    }
}
