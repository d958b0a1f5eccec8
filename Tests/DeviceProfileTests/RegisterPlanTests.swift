import DeviceProfile
import StrictYAML
import Testing

/// Coalescing over many random devices: whatever the addresses, the promises hold.
struct RegisterPlanTests {
    /// SplitMix64: the same devices at every run.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var z = self.state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    struct Wanted: Hashable {
        var table: String
        var address: Int
        var width: Int
    }

    @Test(arguments: 0..<200)
    func readsCoverEveryPointStayInTheirLimitsAndNeverTouchWhatIsForbidden(seed: Int) throws {
        var random = Seeded(state: UInt64(seed))
        let registersMax = Int.random(in: 4...125, using: &random)
        let gapMax = Int.random(in: 0...40, using: &random)
        let forbidden = Int.random(in: 100...300, using: &random)...Int.random(in: 300...320, using: &random)
        var wanted: [Wanted] = []
        var points = ""
        for index in 0..<Int.random(in: 1...60, using: &random) {
            let width = [1, 2, 4].randomElement(using: &random) ?? 1
            let table = Bool.random(using: &random) ? "holding" : "input"
            let address = Int.random(in: 0...900, using: &random)
            guard !(table == "holding" && address <= forbidden.upperBound && address + width > forbidden.lowerBound)
            else { continue }
            let type = [1: "uint16", 2: "uint32", 4: "uint64"][width] ?? ""
            wanted.append(Wanted(table: table, address: address, width: width))
            points +=
                "  - {name: p\(index), title: {vi: P, en: P}, unit: \"1\", "
                + "wire: {table: \(table), address: \(address), type: \(type)}}\n"
        }
        guard !wanted.isEmpty, let first = points.firstMatch(of: /name: (p\d+)/)?.1 else { return }
        let profile = try DeviceProfile.read(
            yaml: """
                profile: t
                vendor: V
                model: M
                category: environment
                title: {vi: T, en: T}
                sources:
                  - {title: "by hand", url: "https://example.org", trust: C}
                verified: false
                modbus: {registersMax: \(registersMax), gapMax: \(gapMax), forbidden: [{table: holding, from: \(forbidden.lowerBound), to: \(forbidden.upperBound)}]}
                points:
                \(points)
                tests:
                  - name: none
                    modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}]
                    expect: {\(first): 0}
                """,
            file: "t.yaml"
        )
        let plan = RegisterPlan(profile: profile, poll: .normal)
        for read in plan.reads {
            #expect(Int(read.count) <= registersMax)
            #expect(read.count > 0)
            let last = Int(read.address) + Int(read.count) - 1
            #expect(read.table != .holding || last < forbidden.lowerBound || Int(read.address) > forbidden.upperBound)
        }
        for point in wanted {
            let covering = plan.reads.count {
                "\($0.table)" == point.table && Int($0.address) <= point.address
                    && Int($0.address) + Int($0.count) >= point.address + point.width
            }
            #expect(covering >= 1, "\(point) is read whole by one request")
        }
        // One value a point comes out, whatever the replies hold.
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        plan.decode(
            replies: plan.reads.map { .words(Array(repeating: 1, count: Int($0.count))) },
            into: &values,
            texts: &texts
        )
        #expect(Set(values.map(\.point)).count == profile.points.count)
        #expect(values.count == profile.points.count)
    }
}
