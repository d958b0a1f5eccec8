import CampusModel
import Foundation

@testable import TimeSeriesRing

/// One board's life over several power cuts, and what must hold after each.
///
/// Everything follows from the seed: what is appended, when it is committed and sealed, at which call to the card the
/// power goes, and what the card makes of it. A seed that fails is run again alone.
struct PowerCutSimulation {
    struct Violation: Error, CustomStringConvertible {
        var description: String
    }

    let seed: UInt64
    let unitBytes: Int
    let faults: SimulatedDevice.Faults
    private var lottery: Lottery
    private let geometry: RingGeometry
    private var device: SimulatedDevice
    /// All that was ever appended, per series, and how much of it had been when the last commit returned.
    private var appended: [[Sample]]
    private var durable: [Int]
    /// The same of all lives, also what was gone once: where a superblock was written elsewhere, an older one knows of
    /// samples that the newer one did not find.
    private var ever: [Set<Sample>]
    private var tick: Int64 = 1_000_000
    private(set) var cuts = 0
    private(set) var problems = 0

    private static let names = ["a/slow", "b/decimals", "c/floats", "d/bad", "e/late"]

    init(seed: UInt64, unitBytes: Int = 4_096, faults: SimulatedDevice.Faults = .init()) throws {
        self.seed = seed
        self.unitBytes = unitBytes
        self.lottery = Lottery(seed: seed)
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: 8)
        configuration.unitBytes = unitBytes
        configuration.journalBytes = 64 * unitBytes
        configuration.rawBytes = 1 << 18
        configuration.minuteBytes = 1 << 18
        configuration.quarterBytes = 1 << 17
        self.geometry = try RingGeometry(configuration)
        var faults = faults
        // Places follow from the geometry.
        if faults.hasOneSuperblock != 0 { faults.hasOneSuperblock = self.geometry.superblockBytes }
        let journal = self.geometry.journal..<(self.geometry.journal + self.geometry.journalBytes)
        if faults.swallowsFlushAfter != nil { faults.swallowsFlushAfter = journal }
        let segments = self.geometry.offset(.raw)..<self.geometry.totalBytes
        if faults.swallowsFlushBefore != nil { faults.swallowsFlushBefore = segments }
        self.faults = faults
        self.device = SimulatedDevice(size: self.geometry.totalBytes, seed: seed, faults: faults)
        self.appended = Self.names.map { _ in [] }
        self.durable = Self.names.map { _ in 0 }
        self.ever = Self.names.map { _ in [] }
    }

    private func open(_ device: any BlockDevice) throws -> TimeSeriesRing {
        // After a power cut there is no memory.
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: self.geometry.seriesMax))
        return TimeSeriesRing(device: device, memory: memory, geometry: self.geometry, boot: (1, 1))
    }

    /// Runs some lives; throws the first thing that does not hold.
    mutating func run(lives: Int = 3) throws {
        for _ in 0..<lives { try self.live() }
    }

    private mutating func random(_ bound: UInt64) -> UInt64 { self.lottery.next() % bound }

    private mutating func live() throws {
        let ring: TimeSeriesRing
        do {
            // The power may go while the ring is opened, too.
            if self.random(4) == 0 { self.device.cutPower(after: Int(self.random(6))) }
            ring = try self.open(self.device)
            if !self.device.isOff { try self.check(ring) }
            self.device.cutPower(after: Int(self.random(40)))
            try self.work(ring)
        } catch let violation as Violation {
            throw violation
        } catch {
            // Off, or a card that refuses; what follows is the same.
        }
        try self.cutAndCheck()
    }

    private mutating func work(_ ring: TimeSeriesRing) throws {
        let series = try Self.names.map { try ring.series(named: $0) }
        for _ in 0..<(10 + self.random(60)) where !self.device.isOff {
            switch self.random(12) {
            case 0..<9: self.append(ring, series)
            case 9, 10:
                let counts = self.appended.map(\.count)
                if (try? ring.commit()) != nil, !self.device.isOff { self.durable = counts }
            default:
                let counts = self.appended.map(\.count)
                if (try? ring.seal()) != nil, !self.device.isOff { self.durable = counts }
            }
        }
    }

    private mutating func append(_ ring: TimeSeriesRing, _ series: [SeriesIndex]) {
        for _ in 0..<(1 + self.random(8)) {
            self.tick += 200 + Int64(self.random(20_000))
            for (index, name) in Self.names.enumerated() where name != "a/slow" || self.random(9) == 0 {
                var next = sample(self.tick, Double(self.random(5_000)) / 100)
                if name == "c/floats" { next.value = Double(bitPattern: self.lottery.next() & 0x7FEF_FFFF_FFFF_FFFF) }
                if name == "d/bad", self.random(3) == 0 { next = sample(self.tick, 0, .bad(.communication)) }
                if name == "e/late", self.random(5) == 0 {
                    next.tick = next.tick.advanced(byMilliseconds: -Int64(self.random(400_000)))
                }
                guard next.tick.rawValue >= 0, ring.append(series[index], next) == .stored else { continue }
                self.appended[index].append(next)
                self.ever[index].insert(next)
            }
        }
    }

    private mutating func cutAndCheck() throws {
        self.cuts += 1
        let bytes = self.device.afterCut()
        func fresh(_ seed: UInt64) -> SimulatedDevice {
            SimulatedDevice(size: self.geometry.totalBytes, seed: seed, faults: self.faults, bytes: bytes)
        }
        // Opened twice from the same card, it tells the same.
        let first = try self.open(fresh(self.seed))
        let second = try self.open(fresh(self.seed))
        for name in Self.names {
            if self.contents(first, name) != self.contents(second, name) {
                throw Violation(description: "two openings of one card differ in \(name)")
            }
        }
        self.device = fresh(self.lottery.next())
        try self.check(first)
        // What is not there now will not come back.
        for (index, name) in Self.names.enumerated() {
            let found = Set(self.contents(first, name))
            self.appended[index].removeAll { !found.contains($0) }
            self.durable[index] = self.appended[index].count
        }
    }

    private func contents(_ ring: TimeSeriesRing, _ name: String) -> [Sample] {
        ring.existingSeries(named: name).map { ring.samples($0, in: allTicks, limit: .max) } ?? []
    }

    private mutating func check(_ ring: TimeSeriesRing) throws {
        let report = ring.openReport
        self.problems += report.problems.count
        let oldest = ring.rawHorizon
        for (index, name) in Self.names.enumerated() {
            let found = self.contents(ring, name)
            let all = self.faults.misdirectedWrites > 0 ? self.ever[index] : Set(self.appended[index])
            for (left, right) in zip(found, found.dropFirst()) where right.tick < left.tick || right == left {
                throw Violation(
                    description: "\(name) out of order or twice at \(right.tick.rawValue); report \(report)"
                )
            }
            if let phantom = found.first(where: { !all.contains($0) }) {
                throw Violation(description: "\(name) has \(phantom), which nobody appended; report \(report)")
            }
            let there = Set(found)
            let missing = self.appended[index].prefix(self.durable[index])
                .filter { !there.contains($0) && $0.tick.rawValue >= oldest }
            // What a card wrote elsewhere is lost; nothing else may happen.
            let isExcused = self.faults.misdirectedWrites > 0
            if let lost = missing.first, !isExcused {
                throw Violation(
                    description: "\(name): \(missing.count) committed samples are gone, the first at "
                        + "\(lost.tick.rawValue), horizon \(oldest); report \(report)"
                )
            }
            try self.checkMinutes(ring, name, found, oldest)
        }
    }

    private func checkMinutes(_ ring: TimeSeriesRing, _ name: String, _ found: [Sample], _ oldest: Int64) throws {
        guard oldest == .min, self.faults.misdirectedWrites == 0, let series = ring.existingSeries(named: name) else {
            return
        }
        var model: [Int64: StoredRollup] = [:]
        for sample in found {
            let start = sample.tick.rawValue - sample.tick.rawValue % 60_000
            model[start, default: StoredRollup(start: start)]
                .add(sample.value, isBad: sample.quality.level == .bad)
        }
        for rollup in ring.minuteRollups(series, in: allTicks, limit: .max) {
            let expected = model.removeValue(forKey: rollup.start.rawValue)
            guard let expected, expected.count == rollup.count, expected.badCount == rollup.badCount,
                expected.minimum == rollup.minimum, expected.maximum == rollup.maximum
            else {
                throw Violation(description: "\(name): the minute \(rollup) is not that of its samples")
            }
        }
        if let left = model.first { throw Violation(description: "\(name): no minute for \(left.value)") }
    }
}
