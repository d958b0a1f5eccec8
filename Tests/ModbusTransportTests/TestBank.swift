import Foundation
import ModbusTransport
import Synchronization

/// A bank in which every register tells its table, unit and address, so that a value in a wrong place is noticed.
final class TestBank: RegisterBank {
    private let written = Mutex<[UInt32: UInt16]>([:])
    private let units: ClosedRange<UInt8>

    init(units: ClosedRange<UInt8> = 1...20) { self.units = units }

    static func word(_ unit: UInt8, _ table: ModbusTable, _ address: UInt16) -> UInt16 {
        let mixed = address &* 31 &+ UInt16(unit) &* 257 &+ UInt16(table.rawValue) &* 4_099
        return table.isBits ? mixed >> 3 & 1 : mixed
    }

    private func key(_ unit: UInt8, _ table: ModbusTable, _ address: UInt16) -> UInt32 {
        UInt32(unit) << 24 | UInt32(table.rawValue) << 16 | UInt32(address)
    }

    func read(unit: UInt8, table: ModbusTable, address: UInt16, count: UInt16) -> Result<[UInt16], RegisterException> {
        guard Int(address) + Int(count) <= 10_000 else { return .failure(RegisterException(code: 2)) }
        return .success(
            self.written.withLock { written in
                (address..<address + count).map { written[self.key(unit, table, $0)] ?? Self.word(unit, table, $0) }
            }
        )
    }

    func write(unit: UInt8, table: ModbusTable, address: UInt16, values: [UInt16]) -> RegisterException? {
        guard Int(address) + values.count <= 10_000 else { return RegisterException(code: 2) }
        self.written.withLock { written in
            for (offset, value) in values.enumerated() {
                written[self.key(unit, table, address + UInt16(offset))] = value
            }
        }
        return nil
    }

    func isPresent(unit: UInt8) -> Bool { self.units.contains(unit) }
}

/// A number generator with a seed, so that a failure can be had again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// Two serial lines that are joined, made by socat for one test.
final class SerialPair {
    let left: String
    let right: String
    private let process = Process()
    let folder: String

    struct Failed: Error {}

    /// - Parameter folder: Where the two names are; `nil` for a new one.
    init(folder: String? = nil) async throws {
        self.folder =
            folder
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("campus-pty-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        self.left = "\(self.folder)/left"
        self.right = "\(self.folder)/right"
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/socat")
        self.process.arguments = ["pty,raw,echo=0,link=\(self.left)", "pty,raw,echo=0,link=\(self.right)"]
        try self.process.run()
        let deadline = ContinuousClock.now + .seconds(5)
        while !FileManager.default.fileExists(atPath: self.right) || !FileManager.default.fileExists(atPath: self.left)
        {
            guard ContinuousClock.now < deadline else { throw Failed() }
            await Task.yield()
        }
    }

    func stop() {
        // The child may have inherited a mask that blocks SIGTERM; SIGKILL always works.
        kill(self.process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: self.folder)
    }
}

/// Time that a test moves by hand, nanoseconds.
final class ManualTime: Sendable {
    private let value = Atomic<UInt64>(1_000_000_000_000)
    var now: UInt64 { self.value.load(ordering: .relaxed) }
    func advance(seconds: UInt64) { self.value.add(seconds * 1_000_000_000, ordering: .relaxed) }
}
