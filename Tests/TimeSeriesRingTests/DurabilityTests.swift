import CampusModel
import Synchronization
import Testing

@testable import TimeSeriesRing

/// What a commit says is so, whatever went wrong before it.
struct DurabilityTests {
    /// A card that refuses writes to a part of it, its journal unless said otherwise, for a while.
    private final class MoodyDevice: BlockDevice {
        let card: SimulatedDevice
        let part: Range<Int>
        let isRefusing = Atomic<Bool>(false)

        init(_ geometry: RingGeometry, part: Range<Int>? = nil) {
            self.card = SimulatedDevice(size: geometry.totalBytes, seed: 1)
            self.part = part ?? geometry.journal..<(geometry.journal + geometry.journalBytes)
        }

        var size: Int { self.card.size }
        func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(RingError) {
            try self.card.read(into: target, at: offset)
        }
        func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RingError) {
            guard !self.part.contains(offset) || !self.isRefusing.load(ordering: .relaxed) else {
                throw RingError(.inputOutput, "this part is refused")
            }
            try self.card.write(source, at: offset)
        }
        func flush() throws(RingError) { try self.card.flush() }
    }

    private func geometry() throws -> RingGeometry {
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: 8)
        configuration.journalBytes = 16 << 20
        configuration.rawBytes = 4 << 20
        configuration.minuteBytes = 1 << 20
        configuration.quarterBytes = 1 << 20
        return try RingGeometry(configuration)
    }

    private func open(_ device: any BlockDevice, _ geometry: RingGeometry) throws -> TimeSeriesRing {
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
        return TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
    }

    private func countAfterCut(_ card: SimulatedDevice, _ geometry: RingGeometry, _ name: String) throws -> Int {
        let after = SimulatedDevice(size: geometry.totalBytes, seed: 2, bytes: card.afterCut())
        let ring = try self.open(after, geometry)
        return ring.samples(try #require(ring.existingSeries(named: name)), in: allTicks, limit: .max).count
    }

    @Test func aCommitAfterARefusedOneMakesDurableWhatThatOneDidNot() throws {
        let geometry = try self.geometry()
        let device = MoodyDevice(geometry)
        let ring = try self.open(device, geometry)
        let series = try ring.series(named: "a")
        ring.append(series, sample(1_000, 1))
        try ring.commit()
        ring.append(series, sample(2_000, 2))
        device.isRefusing.store(true, ordering: .relaxed)
        #expect(throws: RingError.self) { try ring.commit() }
        device.isRefusing.store(false, ordering: .relaxed)
        // Nothing new: the same message, delivered again.
        #expect(ring.append(series, sample(2_000, 2)) == .duplicate)
        try ring.commit()
        #expect(try self.countAfterCut(device.card, geometry, "a") == 2)
    }

    @Test func aCommitMakesDurableWhatTheJournalHadNoRoomFor() throws {
        let geometry = try self.geometry()
        let device = MoodyDevice(geometry)
        let ring = try self.open(device, geometry)
        let series = try ring.series(named: "a")
        let count = 600_000
        for start in stride(from: 0, to: count, by: 1_000) {
            ring.append((start..<(start + 1_000)).map { .init(series: series, sample: sample(Int64($0) * 1_000, 7)) })
        }
        #expect(ring.statistics.unjournaled > 0)
        try ring.commit()
        #expect(try self.countAfterCut(device.card, geometry, "a") == count)
        // One seal was enough: later commits are commits again.
        let seals = ring.statistics.seals
        for index in 0..<3 {
            ring.append(series, sample(Int64(count + index) * 1_000, 7))
            try ring.commit()
        }
        #expect(ring.statistics.seals == seals)
    }

    /// Noise fills the arena: what of the windows finds no room in the half that is sealed must not lose its units.
    @Test func aSealOfAFullArenaKeepsWhatWasCommittedAndDidNotFit() throws {
        let geometry = try self.geometry()
        let device = MoodyDevice(geometry)
        let ring = try self.open(device, geometry)
        let series = try (0..<8).map { try ring.series(named: "s\($0)") }
        var lottery = Lottery(seed: 3)
        var durable = 0
        var index = 0
        while ring.statistics.seals == 0 {
            ring.append(
                series.map {
                    let noise = Double(bitPattern: lottery.next() & 0x7FEF_FFFF_FFFF_FFFF)
                    return .init(series: $0, sample: sample(Int64(index) * 1_000, noise))
                }
            )
            index += 1
            if ring.statistics.seals == 0, index % 5 == 0 {
                try ring.commit()
                durable = index
            }
        }
        #expect(durable > 1_000)
        for number in 0..<8 {
            let found = try self.countAfterCut(device.card, geometry, "s\(number)")
            #expect(found >= durable, "s\(number): \(durable - found) committed samples are lost")
        }
    }

    @Test func aSealThatWasTriedAgainIsFoundOnceByWhoSearches() throws {
        let geometry = try self.geometry()
        let device = MoodyDevice(geometry, part: 0..<(2 * geometry.superblockBytes))
        let ring = try self.open(device, geometry)
        let series = try ring.series(named: "a")
        for index in 0..<100 { ring.append(series, sample(Int64(index) * 1_000, Double(index))) }
        device.isRefusing.store(true, ordering: .relaxed)
        #expect(throws: RingError.self) { try ring.seal() }
        device.isRefusing.store(false, ordering: .relaxed)
        try ring.seal()
        var bytes = device.card.afterCut()
        for place in device.part { bytes[place] = 0 }
        let found = try self.open(SimulatedDevice(size: bytes.count, seed: 2, bytes: bytes), geometry)
        #expect(found.openReport.problems.contains { $0.contains("found by searching") })
        #expect(found.samples(series, in: allTicks, limit: .max).map(\.value) == (0..<100).map(Double.init))
    }
}
