import CampusModel
import Exporters
import Foundation
import Testing

@Suite struct CursorFileTests {
    private let folder: TemporaryFolder
    private var path: String { self.folder.file("c") }

    init() throws { self.folder = try TemporaryFolder() }

    private func record(_ watermark: Int64, series: Int = 1) -> CursorRecord {
        var record = CursorRecord()
        record.lastAcknowledged = Tick(rawValue: watermark)
        record.sent = UInt64(watermark)
        for index in 0..<series {
            record.places[CursorRecord.nameHash("d\(index)/p")] = SeriesPlace(
                watermark: Tick(rawValue: watermark),
                counted: Tick(rawValue: watermark + 10),
                pending: 3,
                dropped: 1
            )
        }
        return record
    }

    /// Where a slot of a file for 4 series begins: header, one page of floors, slots of one page.
    private func slot(_ index: Int) -> Int { 8_192 + index * 4_096 }

    private func damage(at offset: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: self.path))
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data([byte ^ 0x10]))
        try handle.close()
    }

    @Test func aNewFileHoldsNothing() throws {
        let file = try CursorFile(path: self.path, capacity: 4)
        #expect(file.record == CursorRecord())
        #expect(file.problems.isEmpty)
    }

    @Test func theNewestRecordIsReadBack() throws {
        do {
            let file = try CursorFile(path: self.path, capacity: 4)
            for watermark in 1...5 { try file.write(self.record(Int64(watermark), series: 4)) }
        }
        #expect(try CursorFile(path: self.path, capacity: 4).record == self.record(5, series: 4))
    }

    @Test(arguments: [0, 8, 12, 20, 40, 64, 72, 80, 88, 92])
    func aDamagedSlotGivesWayToTheOneBefore(_ offset: Int) throws {
        do {
            let file = try CursorFile(path: self.path, capacity: 4)
            try file.write(self.record(1))  // generation 1, slot 1
            try file.write(self.record(2))  // generation 2, slot 0
        }
        try self.damage(at: self.slot(0) + offset)
        let file = try CursorFile(path: self.path, capacity: 4)
        #expect(file.record == self.record(1))
        #expect(file.problems.count == 1)
        // The next write goes over the damaged slot, not over the good one.
        try file.write(self.record(3))
        try self.damage(at: self.slot(0) + offset)
        #expect(try CursorFile(path: self.path, capacity: 4).record == self.record(1))
    }

    @Test func aSlotTornInTheMiddleIsNotBelieved() throws {
        do {
            let file = try CursorFile(path: self.path, capacity: 4)
            try file.write(self.record(1, series: 4))
            try file.write(self.record(2, series: 4))
        }
        let old = try Data(contentsOf: URL(fileURLWithPath: self.path))
        try CursorFile(path: self.path, capacity: 4).write(self.record(3, series: 4))
        // The first half of the new slot 1, the second half of the old one.
        var torn = try Data(contentsOf: URL(fileURLWithPath: self.path))
        let half = self.slot(1) + 100
        torn.replaceSubrange(half..<self.slot(2), with: old[half..<self.slot(2)])
        try torn.write(to: URL(fileURLWithPath: self.path))
        #expect(try CursorFile(path: self.path, capacity: 4).record == self.record(2, series: 4))
    }

    @Test func moreSeriesKeepWhatIsThere() throws {
        do { try CursorFile(path: self.path, capacity: 4).write(self.record(7, series: 4)) }
        let grown = try CursorFile(path: self.path, capacity: 400)
        #expect(grown.record == self.record(7, series: 4))
        try grown.write(self.record(8, series: 300))
        #expect(try CursorFile(path: self.path, capacity: 400).record == self.record(8, series: 300))
    }

    @Test func fewerSeriesKeepTheFile() throws {
        do { try CursorFile(path: self.path, capacity: 400).write(self.record(7, series: 300)) }
        #expect(try CursorFile(path: self.path, capacity: 4).record == self.record(7, series: 300))
    }

    @Test func aFileThatIsNoCursorIsSetAside() throws {
        try Data("nothing of the kind".utf8).write(to: URL(fileURLWithPath: self.path))
        let file = try CursorFile(path: self.path, capacity: 4)
        #expect(file.record == CursorRecord())
        #expect(file.problems.count == 1)
        #expect(FileManager.default.fileExists(atPath: self.path + ".damaged"))
    }

    @Test func theCheckSumIsZlibs() throws {
        // The header of every file: magic, capacity, and what zlib.crc32 of Python says of both.
        _ = try CursorFile(path: self.path, capacity: 4)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: self.path)).prefix(16)
        #expect(Array(bytes) == Array("CGCURS01".utf8) + [4, 0, 0, 0] + [196, 17, 116, 156])
    }
}
