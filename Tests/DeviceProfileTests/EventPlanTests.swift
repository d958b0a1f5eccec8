import CampusModel
import DeviceProfile
import Testing

/// Cards that stand in registers.
struct EventPlanTests {
    private func plan(_ event: String) throws -> EventPlan {
        let profile = try ProfileText.read(
            ProfileText.modbus(
                """
                points: []
                events:
                  - name: card
                    title: {vi: Thẻ, en: Card}
                    kind: card
                \(event)
                """
            )
        )
        return try #require(EventPlan.plans(of: profile).first)
    }

    private func event(_ plan: inout EventPlan, _ words: [[UInt16]], at milliseconds: Int64) -> [String]? {
        plan.evaluate(
            replies: words.map { .words($0) },
            device: DeviceID(rawValue: "d"),
            tick: Tick(milliseconds: milliseconds)
        )?
        .event?
        .fields.map { "\($0.name)=\($0.text)" }
    }

    @Test func aChangedCardIsAnEventWhereThereIsNeitherFlagNorCounter() throws {
        var plan = try self.plan(
            """
                capture: {changed: true}
                fields: [{name: uid, table: input, address: 1, type: hex, length: 2}]
            """
        )
        #expect(self.event(&plan, [[0x0412, 0xAB00]], at: 0) == nil, "nobody knows since when it lies there")
        #expect(self.event(&plan, [[0x0412, 0xAB00]], at: 1) == nil)
        #expect(self.event(&plan, [[0x0413, 0xAB00]], at: 2) == ["uid=0413AB00"])
        #expect(self.event(&plan, [[0, 0]], at: 3) == nil, "taken away")
        #expect(self.event(&plan, [[0x0413, 0xAB00]], at: 4) == ["uid=0413AB00"], "and put there again")
    }

    @Test(
        arguments: [
            (4, "text=ABCD"), (3, "text=ABC"), (0, "text="), (9, "text=ABCD"), (65_535, "text=ABCD"),
        ] as [(UInt16, String)]
    )
    func theDeviceSaysHowManyBytesCount(count: UInt16, expected: String) throws {
        var plan = try self.plan(
            """
                capture: {newFlag: {table: coil, address: 0}, clear: {table: coil, address: 0, value: 0}}
                fields:
                  - {name: text, table: input, address: 18, type: string, length: 2, lengthFrom: {table: input, address: 17}}
                  - {name: level, table: input, address: 30, type: int16, scale: {divide: 10}, identity: false}
            """
        )
        #expect(plan.reads.map(\.address) == [0, 17, 18, 30])
        let fields = self.event(&plan, [[1], [count], [0x4142, 0x4344], [0xFFFB]], at: 0)
        #expect(fields == [expected, "level=-0.5"])
    }

    @Test(arguments: [
        ("capture: {}", "capture.changed"), ("capture: {changed: true, newFlag: {table: coil, address: 0}}", "neither"),
        ("capture: {newFlag: {table: coil, address: 0}}", "clear"),
    ])
    func aCaptureThatCannotTellNewFromOldIsAMistake(capture: String, word: String) {
        let found = ProfileText.problems(
            ProfileText.modbus(
                """
                points: []
                events:
                  - name: card
                    title: {vi: Thẻ, en: Card}
                    \(capture)
                    fields: [{name: uid, table: input, address: 1, type: hex, length: 2}]
                """
            )
        )
        #expect(found.contains { $0.contains(word) }, "\(found)")
    }

    @Test func aLengthIsOfTextsOnly() {
        let found = ProfileText.problems(
            ProfileText.modbus(
                """
                points: []
                events:
                  - name: card
                    title: {vi: Thẻ, en: Card}
                    capture: {changed: true}
                    fields: [{name: uid, table: input, address: 1, type: uint32, lengthFrom: {table: input, address: 3}}]
                """
            )
        )
        #expect(found.contains { $0.contains("only string and hex") }, "\(found)")
    }
}
