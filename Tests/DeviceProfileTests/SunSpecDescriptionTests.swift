import CampusModel
import Testing

@testable import DeviceProfile

/// The chain of models of an inverter with a meter, as registers.
struct SunSpecDescriptionTests {
    /// Registers from `base`: "SunS", model 1, `models`, the end.
    static func chain(base: Int, _ models: [[UInt16]], ends: Bool = true) -> [Int: UInt16] {
        var words: [UInt16] = [0x5375, 0x6E53, 1, 66]
        var common = [UInt16](repeating: 0, count: 66)
        func put(_ text: String, _ at: Int) {
            let bytes = Array(text.utf8) + (text.utf8.count % 2 == 1 ? [0] : [])
            for index in stride(from: 0, to: bytes.count, by: 2) {
                common[at + index / 2] = UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
            }
        }
        put("Fronius", 0)
        put("Symo 5.0", 16)
        put("1.2.3", 40)
        put("12345", 48)
        words += common
        for model in models { words += model }
        if ends { words += [0xFFFF, 0] }
        return Dictionary(words.enumerated().map { (base + $0.offset, $0.element) }) { first, _ in first }
    }

    /// Model 103 with one phase, 1,234.5 W and 12,345,670 Wh.
    static let inverter: [UInt16] = {
        var words = [UInt16](repeating: 0xFFFF, count: 52)
        (words[0], words[1]) = (103, 50)
        (words[2], words[3], words[6]) = (54, 54, UInt16(bitPattern: -1))
        (words[10], words[13]) = (2_301, UInt16(bitPattern: -1))
        (words[14], words[15]) = (12_345, UInt16(bitPattern: -1))
        (words[16], words[17]) = (5_001, UInt16(bitPattern: -2))
        for offset in [18, 20, 22, 31, 33, 34, 35, 36, 19, 21, 23, 32, 37] { words[offset] = 0x8000 }
        (words[24], words[25], words[26]) = (18, 54_919, 1)
        words[38] = 4
        return words
    }()

    private func device(_ registers: [Int: UInt16], readsMax: Int = 200) -> (device: DescribedDevice?, reads: Int) {
        var chain = SunSpecDescription()
        var reads = 0
        while let read = chain.next, reads < readsMax {
            reads += 1
            let words = (0..<Int(read.count)).compactMap { registers[Int(read.address) + $0] }
            chain.take(words.count == Int(read.count) ? .words(words) : .refused)
        }
        #expect(chain.next == nil, "it ends")
        return (chain.device(bus: "roof", unit: 3), reads)
    }

    @Test(arguments: [40_000, 50_000, 0])
    func aChainBecomesADeviceWithScaledPoints(_ base: Int) throws {
        let found = try #require(self.device(Self.chain(base: base, [Self.inverter])).device)
        #expect(found.name == "Fronius Symo 5.0" && found.firmware == "1.2.3" && found.hardware == "12345")
        #expect(found.address == .modbus(bus: "roof", unit: 3))
        let draft = try #require(found.draft)
        #expect(
            draft.points.filter { !$0.isHidden }.map { "\($0.name) \($0.unit)" } == [
                "current A", "current-a A", "voltage-a V", "power W", "frequency Hz", "energy W.h", "state 1",
            ]
        )
        // The strict reader takes it, and the device's own registers decode to what they say.
        let (profile, _) = try draft.proven(id: "p")
        #expect(profile.tests.first?.expect["power"] == .number(1_234.5))
        #expect(profile.tests.first?.expect["energy"] == .number(12_345_670))
        #expect(found.leftOut.contains { $0.name == "voltage-b" && $0.reason.en.contains("does not have it") })
    }

    @Test func aModelThatIsNotKnownIsPassedOverWithAReason() throws {
        let unknown: [UInt16] = [64_001, 3, 1, 2, 3]
        let found = try #require(self.device(Self.chain(base: 40_000, [unknown, Self.inverter])).device)
        #expect(found.leftOut.contains { $0.name == "model 64001" })
        #expect(try #require(found.draft).proven(id: "p").profile.points.contains { $0.name == "power" })
    }

    @Test func aDeviceWithoutAChainIsNone() {
        #expect(self.device([:]).device == nil)
        #expect(self.device([40_000: 0x5375, 40_001: 0x0000]).reads == 3)
    }

    @Test func chainsThatNeverEndBreakOffOrLieAreBounded() throws {
        let empty: [UInt16] = [64_001, 1, 0]
        let endless = self.device(Self.chain(base: 0, Array(repeating: empty, count: 500)))
        #expect(endless.reads < 100 && endless.device?.draft == nil)
        #expect(endless.device?.leftOut.contains { $0.reason.en.contains("more than") } == true)
        let broken = try #require(self.device(Self.chain(base: 0, [Self.inverter], ends: false)).device)
        #expect(broken.draft != nil && broken.leftOut.contains { $0.reason.en.contains("breaks off") })
        let lying = try #require(self.device(Self.chain(base: 40_000, [[103, 60_000]])).device)
        #expect(lying.draft == nil && lying.leftOut.contains { $0.reason.en.contains("is none") })
        let zero = try #require(self.device(Self.chain(base: 40_000, [[0, 0]])).device)
        #expect(zero.draft == nil)
        let short = try #require(self.device(Self.chain(base: 40_000, [[103, 4, 1, 2, 3, 4]])).device)
        #expect(short.draft == nil && !short.leftOut.isEmpty)
    }

    @Test func aSignedValueThatTheDeviceDoesNotHaveIsNoNumber() throws {
        var words = Self.inverter
        words[14] = 0x8000
        let found = try #require(self.device(Self.chain(base: 40_000, [words])).device)
        #expect(found.leftOut.contains { $0.name == "power" && $0.reason.en.contains("does not have it") })
        #expect(found.draft?.points.contains { $0.name == "power" } == false)
    }

    @Test func anExponentOutOfReachLeavesItsValuesOut() throws {
        var words = Self.inverter
        words[15] = 99
        let found = try #require(self.device(Self.chain(base: 40_000, [words])).device)
        #expect(found.leftOut.contains { $0.name == "power" && $0.reason.en.contains("exponent") })
    }
}
