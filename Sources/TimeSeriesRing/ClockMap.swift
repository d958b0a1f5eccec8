package import CampusModel

/// What the gateway's axis was worth at which time: rows that turn a tick into UTC.
///
/// The axis itself never steps. When the board learns the time late, one row dates a whole boot anew; no sample is
/// written again. Each row holds from its tick on, until the next row's.
package struct ClockMap: Sendable, Hashable {
    /// Where UTC came from.
    package enum Source: UInt8, Sendable {
        /// What the board believed at its start.
        case boot = 0
        /// The system's clock was set while the gateway ran.
        case step = 1
        /// The system says that it is synchronised with a time server.
        case synchronized = 2
        /// A person said so.
        case manual = 3
    }

    package struct Row: Sendable, Hashable {
        /// From this tick on, milliseconds on the stored axis.
        package var from: Int64
        /// UTC minus tick, milliseconds.
        package var offset: Int64
        package var source: Source

        package init(from: Int64, offset: Int64, source: Source) {
            self.from = from
            self.offset = offset
            self.source = source
        }
    }

    static let rowsMax = 120
    static let rowBytes = 24

    /// Ascending; the first one also holds before its tick.
    package private(set) var rows: [Row] = []

    package init() {}

    package var isIdentity: Bool { self.rows.allSatisfy { $0.offset == 0 } }

    /// Says what holds from a tick on; what said something from there on is replaced.
    package mutating func set(_ row: Row) {
        self.rows.removeAll { $0.from >= row.from }
        self.rows.append(row)
        // Too many boots without a clock: the oldest are told as the one after them.
        if self.rows.count > Self.rowsMax { self.rows.removeFirst(self.rows.count - Self.rowsMax) }
    }

    /// UTC of a tick.
    package func utc(_ tick: Tick) -> Tick {
        guard !self.rows.isEmpty else { return tick }
        return tick.advanced(byMilliseconds: self.row(for: tick.rawValue).offset)
    }

    /// The first tick that is not before `utc`.
    package func tick(_ utc: Tick) -> Tick {
        guard !self.rows.isEmpty else { return utc }
        for (index, row) in self.rows.enumerated() {
            let tick = utc.advanced(byMilliseconds: -row.offset).rawValue
            let end = index + 1 < self.rows.count ? self.rows[index + 1].from : Int64.max
            if tick < end { return Tick(rawValue: index == 0 ? tick : max(tick, row.from)) }
        }
        return utc
    }

    private func row(for tick: Int64) -> Row { self.rows.last { $0.from <= tick } ?? self.rows[0] }

    func encode(into writer: inout ByteWriter) {
        writer.put64(UInt64(self.rows.count))
        for index in 0..<Self.rowsMax {
            let row = index < self.rows.count ? self.rows[index] : Row(from: 0, offset: 0, source: .boot)
            writer.put64(UInt64(bitPattern: row.from))
            writer.put64(UInt64(bitPattern: row.offset))
            writer.put64(UInt64(row.source.rawValue))
        }
    }

    init(_ reader: inout ByteReader) {
        let count = min(Int(truncatingIfNeeded: reader.get64() & 0xFFFF), Self.rowsMax)
        for index in 0..<Self.rowsMax {
            let from = Int64(bitPattern: reader.get64())
            let offset = Int64(bitPattern: reader.get64())
            let source = Source(rawValue: UInt8(truncatingIfNeeded: reader.get64())) ?? .boot
            if index < count { self.rows.append(Row(from: from, offset: offset, source: source)) }
        }
    }
}
