import Foundation
import SiteConfiguration
import Testing

@testable import GatewayApp

/// What a power cut may take, by class.
@Suite(.serialized)
struct DurabilityTests {
    private static let profile = """
        profile: classes
        vendor: V
        model: M
        category: environment
        title: {vi: T, en: T}
        sources: [{title: by hand, trust: C}]
        verified: false
        mqtt:
          messages:
            - {name: usual, topic: "cut/{device}/usual", clock: {pointer: /at, format: unix-milliseconds}}
            - {name: critical, topic: "cut/{device}/critical", clock: {pointer: /at, format: unix-milliseconds}}
        points:
          - {name: usual, title: {vi: U, en: U}, unit: "1", wire: {message: usual, pointer: /n}}
          - {name: critical, title: {vi: C, en: C}, unit: "1", wire: {message: critical, pointer: /n}, durability: critical}
        tests:
          - name: one
            mqtt: {topic: cut/x/critical, payload: '{"at": 1790000000000, "n": 1}'}
            parameters: {device: x}
            expect: {critical: 1}
        """

    private static let site = """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        devices:
          - {id: d, node: r1, profile: classes, parameters: {device: d}}
        """

    @Test func whatIsDueFollowsTheStrictestClassOfWhichSomethingIsNew() {
        var schedule = CommitSchedule(interval: .init(telemetrySeconds: 5, importantSeconds: 2))
        let urgent: Set<Int> = [3, 4, 11, 12, 13, 14]
        let commits = (1...20).filter { schedule.isDue(second: $0, hasUrgent: urgent.contains($0)) }
        #expect(commits == [3, 8, 11, 13, 18])
    }

    /// Kills the gateway as a power cut does: its memory is gone, the card has what was written.
    ///
    /// The broker is another machine. What it has no acknowledgement for it delivers again, so a critical value that is
    /// missing at the end was acknowledged before it was on the card.
    @Test func criticalValuesAreAcknowledgedOnlyWhenTheyAreOnTheCard() async throws {
        let port = try Checkout.freePort()
        let broker = try Child("/usr/sbin/mosquitto", ["-p", "\(port)"])
        defer { broker.end(SIGKILL) }
        try await eventually("mosquitto listens") { Checkout.accepts(port) }
        let profiles = FileManager.default.temporaryDirectory.appendingPathComponent("campus-cut-\(UUID())").path
        try FileManager.default.createDirectory(atPath: profiles, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: profiles) }
        try Self.profile.write(toFile: "\(profiles)/classes.yaml", atomically: true, encoding: .utf8)
        let gateway = try RunningGateway(
            site: Self.site,
            broker: "mode: external, host: 127.0.0.1, port: \(port)",
            settings: "ring: {commit: 1 min, journal: 1 MiB, raw: 4 MiB, minutes: 1 MiB, quarters: 1 MiB}",
            profiles: profiles
        )
        defer { gateway.stop() }
        try await gateway.start()
        var last = 0
        for _ in 0..<5 {
            let count = Int.random(in: 40...80)
            let players = try ["critical", "usual"]
                .map { name in
                    let lines = (1...count)
                        .map { #"{"at": \#(1_790_000_000_000 + (last + $0) * 1_000), "n": \#(last + $0)}"# }
                    let file = "\(profiles)/\(name).lines"
                    try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
                    return try Child(
                        "/bin/sh",
                        ["-c", "exec /usr/bin/mosquitto_pub -p \(port) -q 1 -l -t cut/d/\(name) <\(file)"]
                    )
                }
            last += count
            // Anywhere between the first message and the last.
            await pause(milliseconds: Int.random(in: 0...60))
            gateway.kill9()
            for player in players { #expect(await player.wait() == 0) }
            try FileManager.default.removeItem(atPath: "\(gateway.state)/ring/ring.memory")
            try await gateway.start()
        }
        #expect(gateway.log.contains("read from its journal"))
        let wanted = Set((1...last).map(Double.init))
        try await eventually("what was not acknowledged has come again") {
            Set((try? await gateway.samples("d/critical"))?.compactMap(\.value) ?? []).isSuperset(of: wanted)
        }
        let critical = try await gateway.samples("d/critical").compactMap(\.value)
        #expect(critical == wanted.sorted(), "each once")
        // The same cuts took what nobody called critical: the test can tell the difference.
        let usual = try await gateway.samples("d/usual").compactMap(\.value)
        #expect(Set(usual).isSubset(of: wanted))
    }
}
