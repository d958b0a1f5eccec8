import CampusModel
import Foundation
import Synchronization
import Testing

@testable import TimeSeriesRing

/// Cards that rot, refuse, or are gone.
struct DamageTests {
    private static let count = 3_000

    /// A card with segments of three seals, units in the journal and five names.
    private func card() throws -> (bytes: [UInt8], geometry: RingGeometry) {
        var configuration = TimeSeriesRing.Configuration(directory: "", memoryDirectory: nil, seriesMax: 8)
        configuration.journalBytes = 1 << 18
        configuration.rawBytes = 1 << 18
        configuration.minuteBytes = 1 << 17
        configuration.quarterBytes = 1 << 16
        let geometry = try RingGeometry(configuration)
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 1)
        let ring = try self.open(device, geometry)
        let series = try (0..<5).map { try ring.series(named: "s\($0)") }
        for index in 0..<Self.count {
            // A day lies between the first segment and the second, so that there are quarters of an hour, too.
            let tick = Int64(index) * 1_000 + (index < 900 ? 0 : 86_400_000)
            let next = sample(tick, Double(index % 50) / 10)
            ring.append(series.map { SeriesSample(series: $0, sample: next) })
            if index % 900 == 899 { try ring.seal() }
            if index == 2_850 { try ring.commit() }
        }
        try ring.commit()
        return (device.afterCut(), geometry)
    }

    private func open(_ device: any BlockDevice, _ geometry: RingGeometry) throws -> TimeSeriesRing {
        let memory = try RingMemory(path: nil, geometry: MemoryGeometry(seriesMax: geometry.seriesMax))
        return TimeSeriesRing(device: device, memory: memory, geometry: geometry, boot: (1, 1))
    }

    private func found(_ ring: TimeSeriesRing) -> Int {
        (0..<5)
            .reduce(0) { sum, number in
                guard let series = ring.existingSeries(named: "s\(number)") else { return sum }
                let samples = ring.samples(series, in: allTicks, limit: .max)
                let isTrue = samples.allSatisfy { $0.value == Double($0.tick.rawValue / 1_000 % 50) / 10 }
                #expect(isTrue, "nothing that nobody appended")
                _ = ring.minuteRollups(series, in: allTicks, limit: .max)
                return sum + samples.count
            }
    }

    /// Every byte of every head: superblocks, catalogue, headers and indexes of all segments, units of the journal; the
    /// last one is that of the newest unit.
    private func heads(_ ring: TimeSeriesRing, _ geometry: RingGeometry) -> [Range<Int>] {
        var heads: [Range<Int>] = []
        for slot in 0..<2 {
            let start = slot * geometry.superblockBytes
            // What follows is zeros under the same checksum.
            heads.append(start..<(start + 3_008 + 3 * 16 + 64))
        }
        for copy in 0..<2 {
            let start = geometry.catalogue + copy * geometry.catalogueBytes
            heads.append(start..<(start + 5 * 192))
        }
        for tier in Tier.allCases {
            let segments = ring.segments.segments(tier)
            #expect(!segments.isEmpty)
            for segment in segments {
                let start = ring.segments.position(tier, page: segment.page)
                heads.append(start..<(start + SegmentHeader.bytes))
                heads.append((start + Int(segment.header.indexOffset))..<(start + Int(segment.header.byteCount)))
            }
        }
        let units = ring.keeper.withLock { $0.superblock.checkpoint..<$0.nextUnit }
        #expect(units.count > 1)
        for unit in units {
            let start = geometry.journal + Int(unit % UInt64(geometry.journalUnits)) * geometry.unitBytes
            heads.append(start..<(start + JournalUnit.headBytes))
        }
        return heads
    }

    /// One bit of any head, turned over: it opens, at most one segment, unit or name is lost, and the loss is told.
    ///
    /// The newest unit alone is lost without a word: it looks like one that the power interrupted. One bit of each
    /// fifth byte; with `CAMPUS_EVERY_BIT`, each of each.
    @Test func aDamagedHeadCostsWhatItIsTheHeadOf() throws {
        let isThorough = ProcessInfo.processInfo.environment["CAMPUS_EVERY_BIT"] != nil
        let (bytes, geometry) = try self.card()
        let intact = try self.open(SimulatedDevice(size: bytes.count, seed: 2, bytes: bytes), geometry)
        let whole = self.found(intact)
        #expect(whole == 5 * Self.count)
        var turned = 0
        let heads = self.heads(intact, geometry)
        for head in heads {
            for place in stride(from: head.lowerBound, to: head.upperBound, by: isThorough ? 1 : 5) {
                for bit in isThorough ? 0..<8 : (place % 8)..<(place % 8 + 1) {
                    turned += 1
                    var copy = bytes
                    copy[place] ^= 1 << UInt8(bit)
                    let ring = try self.open(SimulatedDevice(size: copy.count, seed: 3, bytes: copy), geometry)
                    let left = self.found(ring)
                    if left < whole - 5 * 900 { Issue.record("byte \(place), bit \(bit): \(whole - left) are lost") }
                    let isTold = !ring.openReport.problems.isEmpty || ring.statistics.damaged > 0
                    if left < whole, !isTold, head != heads.last {
                        Issue.record("byte \(place), bit \(bit): \(whole - left) are lost and nobody is told")
                    }
                }
            }
        }
        print("\(turned) bits of heads were turned over, one at a time")
    }

    /// One bit anywhere in the segments costs one block at most.
    @Test func aBitThatTurnsOverAtRestCostsOneBlock() throws {
        let (bytes, geometry) = try self.card()
        var lottery = Lottery(seed: 4)
        let start = geometry.offset(.raw)
        for _ in 0..<200 {
            var copy = bytes
            let place = start + Int(lottery.next() % 16_384)
            copy[place] ^= 1 << UInt8(lottery.next() % 8)
            let ring = try self.open(SimulatedDevice(size: copy.count, seed: 5, bytes: copy), geometry)
            // A block has 900 samples here; a bit in header or index takes the segment's five.
            #expect(self.found(ring) >= 5 * Self.count - 5 * 900)
        }
    }

    @Test func withoutAnySuperblockTheSegmentsAreFoundBySearching() throws {
        var (bytes, geometry) = try self.card()
        for place in 0..<(2 * geometry.superblockBytes) { bytes[place] = 0 }
        let ring = try self.open(SimulatedDevice(size: bytes.count, seed: 6, bytes: bytes), geometry)
        #expect(self.found(ring) == 5 * Self.count)
        #expect(ring.openReport.problems.contains { $0.contains("found by searching") })
    }

    /// A card that takes nothing any more: what is new is still served, what had to go is counted, and why is said.
    @Test func aCardThatRefusesEverythingCostsTheOldestOnly() throws {
        let geometry = try self.card().geometry
        let device = SimulatedDevice(size: geometry.totalBytes, seed: 7)
        let ring = try self.open(device, geometry)
        let series = try ring.series(named: "s0")
        device.cutPower(after: 0)
        var lottery = Lottery(seed: 8)
        for index in 0..<400_000 {
            let outcome = ring.append(series, sample(Int64(index) * 1_000, Double(lottery.next() % 1_000_000) / 7))
            #expect(outcome == .stored)
        }
        #expect(throws: RingError.self) { try ring.commit() }
        #expect(ring.latest(series)?.tick == Tick(milliseconds: 399_999_000))
        #expect(ring.lastSamples(series, count: 1_000).count == 1_000)
        #expect(ring.statistics.dropped > 0)
        #expect(ring.statistics.trouble?.contains("power is off") == true)
    }

    @Test func aCardThatCannotBeReadIsNotWrittenOver() throws {
        let (bytes, geometry) = try self.card()
        let device = SimulatedDevice(size: bytes.count, seed: 9, bytes: bytes)
        device.cutPower(after: 0)
        #expect(throws: RingError.self) { try device.flush() }
        let ring = try self.open(device, geometry)
        #expect(ring.openReport.problems.contains { $0.contains("cannot be read") })
        let later = try self.open(SimulatedDevice(size: bytes.count, seed: 10, bytes: device.afterCut()), geometry)
        #expect(self.found(later) == 5 * Self.count)
    }

    /// What a person is left with: the file alone, looked at from outside.
    @Test func theInspectorTellsVerifiesAndSalvages() throws {
        let folder = try ScratchFolder()
        let ring = try folder.open()
        let series = try ring.series(named: "room/co2")
        for index in 0..<2_000 { ring.append(series, sample(Int64(index) * 1_000, Double(index))) }
        try ring.seal()
        for index in 2_000..<2_100 { ring.append(series, sample(Int64(index) * 1_000, Double(index))) }
        try ring.commit()
        let path = "\(folder.path)/ring"
        let inspector = try RingInspector(directory: path, configuration: nil)
        #expect(inspector.facts.series == ["room/co2"])
        #expect(inspector.facts.tiers.map(\.count) == [2_000, 34, 0])
        #expect(inspector.verify { _ in }.problems == [])
        var salvaged: [Double] = []
        #expect(inspector.salvage(progress: { _ in }, into: { salvaged.append($1.value) }) == [])
        #expect(salvaged == (0..<2_100).map(Double.init))
        // One byte of a block.
        let place = UInt64(ring.segments.geometry.offset(.raw) + SegmentHeader.bytes + 40)
        let file = try #require(FileHandle(forUpdatingAtPath: "\(path)/ring.data"))
        try file.seek(toOffset: place)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: place)
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
        let damaged = try RingInspector(directory: path, configuration: nil)
        #expect(damaged.verify { _ in }.problems.first?.contains("room/co2 is damaged") == true)
        #expect(damaged.salvage(progress: { _ in }, into: { _, _ in }).count == 1)
        #expect(throws: RingError.self) { try RingInspector(directory: folder.path, configuration: nil) }
    }
}
