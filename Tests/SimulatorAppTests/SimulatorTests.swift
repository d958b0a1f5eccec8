import CampusModel
import DeviceProfile
import ModbusTransport
import SiteConfiguration
import StrictYAML
import Synchronization
import Testing

@testable import SimulatorApp

struct RecordingTests {
    private func read(_ text: String, time: [String] = ["Date", "Time"]) throws -> Recording {
        try Recording(text: text, file: "r.csv", timeColumns: time)
    }

    @Test func rowsHaveTheirTimeAndTheNumbersThatAreThere() throws {
        let recording = try self.read("Date,Time,a,b\n2017-12-22,9:00:09,1.5,x\r\n2017-12-22,10:49:41,,-2\n")
        #expect(
            recording.rows.map(\.tick)
                == ["2017-12-22T09:00:09Z", "2017-12-22T10:49:41Z"].compactMap { UTCText.tick(rfc3339: $0) }
        )
        #expect(recording.rows.map(\.values) == [["a": 1.5], ["b": -2]])
    }

    @Test func filesOfRWithAnUnnamedRowNumberAreRead() throws {
        let recording = try self.read("\"date\",\"v\"\n\"1\",\"2015-02-04 17:51:00\",23.18\n", time: ["date"])
        #expect(recording.rows.map(\.values) == [["v": 23.18]])
    }

    @Test(arguments: [
        ("", "the file is empty"), ("a,b\n1,2\n", "there are a, b"),
        ("Date,Time,a\n2017-12-22,9:00:09\n", "r.csv:2: 2 fields"),
        ("Date,Time,a\n2017-12-22,9:00:09,1\nyesterday,noon,2\n", "r.csv:3: 'yesterday noon' is no time"),
    ])
    func mistakesAreNamedWithTheirLine(text: String, words: String) {
        let error = #expect(throws: SimulatorError.self) { try self.read(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}

struct SignalModelTests {
    private let monday = Tick(milliseconds: 1_795_399_200_000)

    private func model(_ seed: UInt64) -> SignalModel {
        SignalModel(seed: seed, timetable: .standard, utcOffsetSeconds: 25_200)
    }

    @Test func roomsAreFullInLessonsAndEmptyAtNightAndOnSunday() throws {
        let model = self.model(1)
        func occupancy(_ text: String) throws -> Double {
            model.occupancy(at: try #require(UTCText.tick(rfc3339: text)))
        }
        #expect(try occupancy("2026-11-23T08:00:00+07:00") == 1)
        #expect(try occupancy("2026-11-23T02:00:00+07:00") == 0)
        #expect(try occupancy("2026-11-23T12:00:00+07:00") == 0)
        #expect(try occupancy("2026-11-22T08:00:00+07:00") == 0)
    }

    @Test func theSameSeedGivesTheSameDayAndValuesStayInTheirRange() {
        var differs = false
        for profile in ProfileLibrary(folders: [SimulatorFiles.profiles]).profiles {
            for point in profile.points where point.kind == .number {
                for minute in stride(from: Int64(0), to: 1_440, by: 97) {
                    let tick = self.monday.advanced(byMilliseconds: minute * 60_000)
                    let value = self.model(1).value(of: point, device: "d", at: tick)
                    #expect(value == self.model(1).value(of: point, device: "d", at: tick))
                    if let range = point.range { #expect(range.contains(value), "\(profile.id)/\(point.name)") }
                    if value != self.model(2).value(of: point, device: "d", at: tick) { differs = true }
                }
            }
        }
        #expect(differs, "another seed is another day")
    }
}

struct PlayedBankTests {
    /// What the bank plays is read through the plan that the gateway uses.
    @Test func everyModbusProfileCanBePlayedAndRead() throws {
        var good = 0
        for profile in ProfileLibrary(folders: [SimulatorFiles.profiles]).profiles {
            guard case .modbus = profile.wire else { continue }
            let bank = PlayedBank(
                units: [7: .init(device: "d", profile: profile)],
                model: SignalModel(seed: 3, timetable: .standard, utcOffsetSeconds: 25_200),
                clock: SystemTickClock()
            )
            #expect(bank.isPresent(unit: 7) && !bank.isPresent(unit: 8))
            for poll in PointDefinition.PollClass.allCases {
                let plan = RegisterPlan(profile: profile, poll: poll)
                let replies = try plan.reads.map { read -> RegisterReply in
                    let table = try #require(ModbusTable(rawValue: read.table.readFunction))
                    switch bank.read(unit: 7, table: table, address: read.address, count: read.count) {
                    case .success(let words): return .words(words)
                    case .failure: return .failed(.bad(.communication))
                    }
                }
                var values: [DecodedValue] = []
                var texts: [DecodedText] = []
                plan.decode(replies: replies, into: &values, texts: &texts)
                for value in values {
                    #expect(
                        value.quality != .bad(.communication) && value.quality != .bad(.malformed),
                        "\(profile.id)/\(profile.points[value.point].name): \(value.quality)"
                    )
                    if value.quality.isGood { good += 1 }
                }
            }
        }
        #expect(good > 100)
    }

    private static let controlled = """
        profile: t
        vendor: V
        model: M
        category: classroom
        title: {vi: T, en: T}
        sources: [{title: "by hand", trust: C}]
        verified: false
        modbus: {unit: 7}
        points:
          - {name: ratio, title: {vi: R, en: R}, unit: "1", wire: {table: input, address: 9, type: uint16}, hidden: true}
          - {name: ready, title: {vi: R, en: R}, kind: boolean, wire: {table: discrete, address: 0}}
          - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: input, address: 4, type: int16}, scale: {divide: 10}, validWhen: {point: ready, equals: 1}}
          - {name: power, title: {vi: P, en: P}, unit: W, wire: {table: input, address: 5, type: uint16}, scale: {multiplyFrom: ratio}}
        events:
          - name: card
            title: {vi: Thẻ, en: Card}
            kind: card
            capture: {newFlag: {table: coil, address: 4}, clear: {table: coil, address: 4, value: 0}}
            fields: [{name: uid, table: holding, address: 20, type: hex, length: 4}]
        controls:
          - {name: setpoint, title: {vi: S, en: S}, unit: Cel, wire: {table: holding, address: 1, type: int16}, scale: {divide: 100}, range: {min: 16, max: 30}, readback: {point: setpoint}}
        tests:
          - name: none
            modbus: [{request: "07 04 00 04 00 01 70 6D", response: "07 04 02 00 00 31 30"}]
            expect: {setpoint: {quality: "bad:notReady"}}
        """

    /// A clock that stands where it is put.
    private final class Clock: TickClock {
        private let milliseconds = Atomic<Int64>(1_790_000_000_000)
        func now() -> Tick { Tick(milliseconds: self.milliseconds.load(ordering: .relaxed)) }
        func tick(boottimeNanoseconds: UInt64) -> Tick { self.now() }
        func pass(_ milliseconds: Int64) { self.milliseconds.add(milliseconds, ordering: .relaxed) }
    }

    private func played(_ clock: Clock) throws -> (bank: PlayedBank, profile: DeviceProfile) {
        let profile = try DeviceProfile.read(yaml: Self.controlled, file: "t.yaml")
        let model = SignalModel(seed: 3, timetable: .standard, utcOffsetSeconds: 25_200)
        return (PlayedBank(units: [7: .init(device: "d", profile: profile)], model: model, clock: clock), profile)
    }

    @Test func whatIsWrittenToAControlShowsAtItsReadback() throws {
        let (bank, profile) = try self.played(Clock())
        guard case .registers(_, let address, let words) = try profile.controls[0].write(25.5) else { return }
        #expect(words == [2_550])
        #expect(bank.write(unit: 7, table: .holdingRegisters, address: address, values: words) == nil)
        #expect(try bank.read(unit: 7, table: .inputRegisters, address: 4, count: 1).get() == [255])
        #expect(try bank.read(unit: 7, table: .inputRegisters, address: 9, count: 1).get() == [1], "a ratio of 1")
        #expect(try bank.read(unit: 7, table: .discreteInputs, address: 0, count: 1).get() == [1], "ready")
    }

    @Test func aFlagThatWasClearedIsSetAgainByTheNextCard() throws {
        let clock = Clock()
        let (bank, _) = try self.played(clock)
        func flag() throws -> [UInt16] { try bank.read(unit: 7, table: .coils, address: 4, count: 1).get() }
        #expect(try flag() == [1])
        #expect(bank.write(unit: 7, table: .coils, address: 4, values: [0]) == nil)
        #expect(try flag() == [0])
        clock.pass(20_000)
        #expect(try flag() == [1])
    }
}

struct SchoolGeneratorTests {
    @Test(arguments: [1, 40, 260])
    func theConfigurationIsOneThatTheGatewayTakes(rooms: Int) throws {
        let generator = SchoolGenerator(
            rooms: rooms,
            modbusPort: 15_020,
            webPort: 0,
            brokerPort: 0,
            profileFolder: SimulatorFiles.profiles,
            stateFolder: "/tmp/state"
        )
        let gateway = try GatewayConfiguration.read(yaml: generator.gatewayYAML, file: "/tmp/gateway.yaml")
        #expect(gateway.profileFolders == [SimulatorFiles.profiles])
        let site = try SiteDefinition.read(yaml: generator.siteYAML, file: "/tmp/site.yaml")
        let library = ProfileLibrary(folders: [SimulatorFiles.profiles])
        #expect(site.nodes.filter { $0.kind == .room }.count >= rooms)
        #expect(site.devices.count > rooms * 6)
        for device in site.devices { #expect(library[device.profile] != nil, "\(device.profile)") }
    }
}

enum SimulatorFiles {
    /// The folder of the shipped profiles.
    static let profiles = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/DeviceProfiles"
}
