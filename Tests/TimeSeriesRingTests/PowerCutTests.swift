import Foundation
import Testing

@testable import TimeSeriesRing

/// The power goes at any call to the card.
///
/// `CAMPUS_POWER_CUT_SEEDS` says how many seeds are run, 1,000 by itself;
/// `CAMPUS_POWER_CUT_FIRST` where they begin.
struct PowerCutTests {
    private static func number(_ name: String, _ standard: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
    }

    private static let first = number("CAMPUS_POWER_CUT_FIRST", 1)
    private static let seeds = number("CAMPUS_POWER_CUT_SEEDS", 1_000)

    /// Runs seeds until one fails; says which.
    private func violation(
        seeds: UInt64,
        from first: UInt64 = Self.first,
        unitBytes: Int = 4_096,
        _ faults: SimulatedDevice.Faults = .init()
    ) throws -> String? {
        for seed in first..<(first + seeds) {
            var simulation = try PowerCutSimulation(seed: seed, unitBytes: unitBytes, faults: faults)
            do {
                try simulation.run()
            } catch {
                return "seed \(seed), units of \(unitBytes), cut \(simulation.cuts): \(error)"
            }
        }
        return nil
    }

    private func expectNone(seeds: UInt64, unitBytes: Int = 4_096, _ faults: SimulatedDevice.Faults = .init()) throws {
        if let violation = try self.violation(seeds: seeds, unitBytes: unitBytes, faults) {
            Issue.record("\(violation)")
        }
    }

    @Test func nothingCommittedIsLostWhereverThePowerGoes() throws {
        try self.expectNone(seeds: Self.seeds * 4 / 10)
    }

    @Test func norWithTheUnitsOfASDCard() throws {
        try self.expectNone(seeds: Self.seeds * 2 / 10, unitBytes: 16_384)
    }

    @Test func norWhenACutDestroysWhatIsBesideAWriteUnderWay() throws {
        try self.expectNone(seeds: Self.seeds * 2 / 10, unitBytes: 16_384, .init(isCollateral: true))
    }

    @Test func norWhenTheCardRefusesWritesAndFlushes() throws {
        try self.expectNone(seeds: Self.seeds / 10, .init(failingWrites: 40, failingFlushes: 60))
    }

    @Test func aCardThatWritesElsewhereIsFoundOut() throws {
        try self.expectNone(seeds: Self.seeds / 10, .init(misdirectedWrites: 60))
    }

    /// Orders that are wrong, each of which the simulation has to notice.
    static let mutants: [(name: String, faults: SimulatedDevice.Faults)] = [
        ("acknowledge before the flush", .init(swallowsFlushAfter: 0..<1)),
        ("superblock before the segments", .init(swallowsFlushBefore: 0..<1)),
        ("one superblock only", .init(hasOneSuperblock: 1)),
    ]

    @Test(arguments: PowerCutTests.mutants.indices)
    func wrongOrdersAreNoticed(mutant: Int) throws {
        let (name, faults) = Self.mutants[mutant]
        #expect(try self.violation(seeds: 300, from: 1, faults) != nil, "\(name) was not noticed")
    }

    @Test func unitsOf4KiBAreNotedAsUnsafeWhereACutDestroysTheirNeighbours() throws {
        #expect(try self.violation(seeds: 300, from: 1, unitBytes: 4_096, .init(isCollateral: true)) != nil)
    }
}
