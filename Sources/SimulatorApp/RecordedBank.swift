internal import CampusModel
internal import DeviceProfile
internal import ModbusTransport
internal import Synchronization

/// The registers of one unit that plays a recording.
///
/// At speed 0 each read of the first register that is played is answered with the next row, so that a master reads
/// every row once however fast it is; otherwise rows come in the recording's time, times the speed. The last row stays.
final class RecordedBank: RegisterBank {
    private let unit: UInt8
    private let recording: Recording
    private let points: [(column: String, point: Int)]
    private let profile: DeviceProfile
    private let speed: Double
    private let now: @Sendable () -> UInt64
    private let first: UInt32
    private let rowPoint: Int?
    private let state = Mutex(State())

    private struct State {
        var row = -1
        var startNanoseconds: UInt64?
        var image: [UInt32: UInt16] = [:]
    }

    /// - Parameters:
    ///   - points: What ``Recording/points(of:mapping:timeColumns:file:)`` found.
    ///   - now: Nanoseconds that pass, for speeds above 0.
    /// - Throws: ``SimulatorError`` when no column is a register of the profile.
    init(
        unit: UInt8,
        recording: Recording,
        profile: DeviceProfile,
        points: [(column: String, point: Int)],
        speed: Double,
        now: @escaping @Sendable () -> UInt64
    ) throws(SimulatorError) {
        self.unit = unit
        self.recording = recording
        self.points = points
        self.profile = profile
        self.speed = speed
        self.now = now
        // Masters and tests may want to know which row it was.
        self.rowPoint = recording.columns.contains("row") ? nil : profile.pointIndex(named: "row")
        let keys = points.compactMap { column, point -> UInt32? in
            guard case .register(let source) = profile.points[point].source else { return nil }
            return Self.key(source.table.readFunction, source.address)
        }
        guard let first = keys.min() else {
            throw SimulatorError("no column is a register of profile '\(profile.id)'")
        }
        self.first = first
    }

    /// The row that is played now, from 0; -1 before the first.
    var row: Int { self.state.withLock { $0.row } }

    func isPresent(unit: UInt8) -> Bool { unit == self.unit }

    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        guard Int(address) + Int(count) <= 65_536 else { return .failure(RegisterException(code: 2)) }
        let start = Self.key(table.rawValue, address)
        return self.state.withLock { state in
            self.advance(&state, isFirstRead: (start..<start + UInt32(count)).contains(self.first))
            return .success((0..<UInt32(count)).map { state.image[start + $0] ?? 0 })
        }
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        RegisterException(code: 1)
    }

    private func advance(_ state: inout State, isFirstRead: Bool) {
        var row = state.row
        if self.speed > 0 {
            let now = self.now()
            let start = state.startNanoseconds ?? now
            state.startNanoseconds = start
            let played = Double(now &- start) / 1e6 * self.speed
            let origin = self.recording.rows.first?.tick.rawValue ?? 0
            row = max(row, 0)
            while row + 1 < self.recording.rows.count,
                Double(self.recording.rows[row + 1].tick.rawValue - origin) <= played
            { row += 1 }
        } else if isFirstRead || row < 0 {
            row = min(row + 1, self.recording.rows.count - 1)
        }
        guard row != state.row, self.recording.rows.indices.contains(row) else { return }
        state.row = row
        self.encode(row, into: &state.image)
    }

    /// A column without a value is the "no value" of its point, or stays as it was where there is none.
    private func encode(_ number: Int, into image: inout [UInt32: UInt16]) {
        let encoder = ProfileEncoder(profile: self.profile)
        let row = self.recording.rows[number]
        for (column, point) in self.points {
            let words = row.values[column].map { encoder.words(for: $0, point: point) }
            self.put(words ?? encoder.wordsForNoValue(point: point), point, into: &image)
        }
        if let rowPoint { self.put(encoder.words(for: Double(number + 1), point: rowPoint), rowPoint, into: &image) }
    }

    private func put(_ words: [UInt16]?, _ point: Int, into image: inout [UInt32: UInt16]) {
        guard let words, case .register(let source) = self.profile.points[point].source else { return }
        let key = Self.key(source.table.readFunction, source.address)
        for (offset, word) in words.enumerated() { image[key + UInt32(offset)] = word }
    }

    private static func key(_ function: UInt8, _ address: UInt16) -> UInt32 { UInt32(function) << 16 | UInt32(address) }
}
