import CampusModel
import Foundation
import Testing

@testable import TimeSeriesRing

/// A folder of its own for each test, removed at the end.
final class ScratchFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("campus-ring-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// A small ring; its memory is a file beside it.
    func configuration(_ name: String = "ring", series: Int = 8, rawBytes: Int = 1 << 20, minuteBytes: Int = 1 << 20)
        -> TimeSeriesRing.Configuration
    {
        var configuration = TimeSeriesRing.Configuration(
            directory: "\(self.path)/\(name)",
            memoryDirectory: "\(self.path)/\(name)",
            seriesMax: series
        )
        configuration.journalBytes = 1 << 20
        configuration.rawBytes = rawBytes
        configuration.minuteBytes = minuteBytes
        configuration.quarterBytes = 1 << 20
        return configuration
    }

    func open(_ name: String = "ring", series: Int = 8, rawBytes: Int = 1 << 20, minuteBytes: Int = 1 << 20) throws
        -> TimeSeriesRing
    {
        try TimeSeriesRing(
            configuration: self.configuration(name, series: series, rawBytes: rawBytes, minuteBytes: minuteBytes)
        )
    }

    /// What a process that is killed now leaves behind: both files as they are.
    func copy(_ name: String = "ring", to copy: String, withMemory: Bool = true) throws {
        let target = "\(self.path)/\(copy)"
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for file in ["ring.data"] + (withMemory ? ["ring.memory"] : []) {
            try FileManager.default.copyItem(atPath: "\(self.path)/\(name)/\(file)", toPath: "\(target)/\(file)")
        }
    }
}

func sample(_ tick: Int64, _ value: Double, _ quality: Quality = .good) -> Sample {
    Sample(tick: Tick(milliseconds: tick), value: value, quality: quality)
}

let allTicks = Tick(milliseconds: 0)..<Tick(milliseconds: 4_000_000_000_000)

/// Numbers that look random and are the same in every run.
struct Lottery: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0xD1B5_4A32_D192_ED03 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
