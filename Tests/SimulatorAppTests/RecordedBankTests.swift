import CampusModel
import DeviceProfile
import ModbusTransport
import Synchronization
import Testing

@testable import SimulatorApp

struct RecordedBankTests {
    private static let csv = """
        Date,Time,S1_Temp,light,slope,Room_Occupancy_Count
        2017-12-22,9:00:00,24.94,121,0.5,1
        2017-12-22,9:00:30,24.5,,x,2
        2017-12-22,9:02:00,-3.25,90,-1.5,0
        """
    private static let mapping = ["S1_Temp": "s1-temperature", "light": "s1-light", "slope": "s5-co2-slope"]

    private let profile: DeviceProfile
    private let time = Clock()

    /// Nanoseconds that pass when a test says so.
    private final class Clock: Sendable {
        private let value = Atomic<UInt64>(5_000_000_000)
        var now: UInt64 { self.value.load(ordering: .relaxed) }
        func pass(_ nanoseconds: UInt64) { self.value.add(nanoseconds, ordering: .relaxed) }
    }

    init() throws {
        self.profile = try #require(
            ProfileLibrary(folders: [SimulatorFiles.profiles])["uci-room-node-modbus"]?.profile
        )
    }

    private func bank(speed: Double, mapping: [String: String] = Self.mapping) throws -> RecordedBank {
        let recording = try Recording(text: Self.csv, file: "r.csv", timeColumns: ["Date", "Time"])
        return try RecordedBank(
            unit: 9,
            recording: recording,
            profile: self.profile,
            points: try recording.points(
                of: self.profile,
                mapping: mapping,
                timeColumns: ["Date", "Time"],
                file: "r.csv"
            ),
            speed: speed,
            now: { [time] in time.now }
        )
    }

    /// What a master gets that reads all registers at once and decodes them.
    private func poll(_ bank: RecordedBank) throws -> [String: Double?] {
        let words = try bank.read(unit: 9, table: .holdingRegisters, address: 0, count: 22).get()
        let plan = RegisterPlan(profile: self.profile, poll: .fast)
        #expect(plan.reads.count == 1)
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        plan.decode(replies: [.words(words)], into: &values, texts: &texts)
        return Dictionary(
            uniqueKeysWithValues: values.map {
                (self.profile.points[$0.point].name, $0.quality.isGood ? $0.value : nil)
            }
        )
    }

    @Test func eachReadIsTheNextRowAndTheLastOneStays() throws {
        let bank = try self.bank(speed: 0)
        #expect(bank.isPresent(unit: 9) && !bank.isPresent(unit: 1))
        var temperatures: [Double?] = []
        var lights: [Double?] = []
        var rows: [Double?] = []
        for _ in 0..<4 {
            let values = try self.poll(bank)
            temperatures.append(values["s1-temperature"] ?? nil)
            lights.append(values["s1-light"] ?? nil)
            rows.append(values["row"] ?? nil)
        }
        #expect(temperatures == [24.94, 24.5, -3.25, -3.25])
        #expect(lights == [121, nil, 90, 90], "a field without a value is the point's 'no value'")
        #expect(rows == [1, 2, 3, 3])
    }

    @Test func aReadOfOtherRegistersIsStillTheSameRow() throws {
        let bank = try self.bank(speed: 0)
        _ = try self.poll(bank)
        _ = bank.read(unit: 9, table: .holdingRegisters, address: 13, count: 4)
        #expect(bank.row == 0)
    }

    @Test func rowsComeInTheirTimeTimesTheSpeed() throws {
        let bank = try self.bank(speed: 10)
        #expect(try self.poll(bank)["row"] == 1)
        self.time.pass(2_999_000_000)
        #expect(try self.poll(bank)["row"] == 1)
        self.time.pass(1_000_000)
        #expect(try self.poll(bank)["row"] == 2)
        self.time.pass(60_000_000_000)
        #expect(try self.poll(bank)["row"] == 3)
    }

    @Test func columnsThatBelongToNothingAreSaid() {
        let error = #expect(throws: SimulatorError.self) { try self.bank(speed: 0, mapping: ["light": "s1-lihgt"]) }
        #expect(error?.description.contains("no point called 's1-lihgt'") == true)
        let none = #expect(throws: SimulatorError.self) { try self.bank(speed: 0, mapping: [:]) }
        #expect(none?.description.contains("use --map COLUMN=POINT") == true)
    }
}
