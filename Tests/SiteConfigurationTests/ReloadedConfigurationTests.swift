import Foundation
import SiteConfiguration
import Testing

/// What of a changed gateway.yaml a running gateway takes up.
struct ReloadedConfigurationTests {
    private static let start = "state: s\nprofiles: [p]\n"

    private func read(_ more: String, start: String = Self.start) throws -> GatewayConfiguration {
        try GatewayConfiguration.read(yaml: start + more, file: "/etc/g/gateway.yaml")
    }

    @Test func siteProfilesAndReportAreTakenUp() throws {
        let fresh = try self.read("site: other.yaml\npolling: {report: 7 s}\n", start: "state: s\nprofiles: [q, r]\n")
        let (merged, needRestart) = try self.read("").takingUp(fresh)
        #expect(needRestart == [])
        #expect(merged == fresh)
    }

    @Test(arguments: [
        ("web: {port: 9}", ["web.port"]),
        ("web: {host: 127.0.0.2, tls: {certificate: c, key: k}}", ["web.host", "web.tls"]),
        ("broker: {keepAlive: 9 s, payloadMax: 2048}", ["broker.keepAlive", "broker.payloadMax"]),
        ("polling: {report: 9 s, fast: 2 s}", ["polling.fast"]),
        ("ring: {raw: 128 MiB}", ["ring.raw"]),
        ("records: {days: 40 d}", ["records.days"]),
        ("quarantine: {entries: 11}\nlog: {level: debug}", ["quarantine.entries", "log.level"]),
    ])
    func otherKeysStayAsTheyWereAndAreNamed(more: String, names: [String]) throws {
        let running = try self.read("")
        let (merged, needRestart) = running.takingUp(try self.read(more))
        #expect(needRestart == names)
        var expected = running
        expected.polling.reportMilliseconds = merged.polling.reportMilliseconds
        #expect(merged == expected)
    }

    /// The documentation and the code name the same keys.
    @Test func everyMarkedKeyOfTheDocumentationNeedsARestart() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
        var marked: Set<String> = []
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cell = line.split(separator: "|")[0]
            guard cell.contains("↻") else { continue }
            marked.formUnion(cell.matches(of: /`([a-zA-Z.]+)`/).map { String($0.1) })
        }
        func isCovered(_ key: String, by other: String) -> Bool { key == other || key.hasPrefix(other + ".") }
        let known = GatewayConfiguration.keysThatNeedRestart
        for key in marked {
            #expect(known.contains { isCovered(key, by: $0) || key == "broker.tls.key" }, "\(key)")
        }
        for key in known { #expect(marked.contains { isCovered($0, by: key) }, "\(key)") }
    }
}
