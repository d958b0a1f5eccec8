import CampusModel
import SiteConfiguration
import StrictYAML
import Testing

struct ConfigurationTests {
    private let minimalSite = """
        site: {id: s, name: {vi: Trường, en: School}}
        nodes:
          - {id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}
        buses:
          - {id: b1, tcp: {host: 127.0.0.1}}
        devices:

        """

    private func siteProblems(_ text: String) -> [String] {
        do {
            _ = try SiteDefinition.read(yaml: text, file: "site.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private func gatewayProblems(_ text: String) -> [String] {
        do {
            _ = try GatewayConfiguration.read(yaml: text, file: "/etc/g/gateway.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func theSmallestGatewayFileHasSafeDefaults() throws {
        let read = try GatewayConfiguration.read(yaml: "state: var\nprofiles: [p]\n", file: "/etc/g/gateway.yaml")
        #expect(read.stateFolder == "/etc/g/var")
        #expect(read.siteFile == "/etc/g/site.yaml")
        #expect(read.web.host == "127.0.0.1")
        #expect(read.broker.mode == .embedded)
        #expect(read.broker.host == "127.0.0.1")
        #expect(read.polling.fastMilliseconds == 1_000)
        #expect(read.ring.rawBytes == 256 << 20)
        #expect(read.ring.commit == .init(telemetrySeconds: 5, importantSeconds: 1))
    }

    @Test(arguments: [
        ("30 s", 30, 1), ("{telemetry: 1 min}", 60, 1), ("{important: 3 s}", 5, 3),
        ("{telemetry: 20 s, important: 20 s}", 20, 20),
    ])
    func commitsAreOneSpanOrOneAClass(commit: String, telemetry: Int, important: Int) throws {
        let read = try GatewayConfiguration.read(
            yaml: "state: var\nprofiles: [p]\nring: {commit: \(commit)}\n",
            file: "/etc/g/gateway.yaml"
        )
        #expect(read.ring.commit == .init(telemetrySeconds: telemetry, importantSeconds: important))
    }

    @Test(arguments: [
        ("web: {host: 0.0.0.0}", "web.host: listening on 0.0.0.0 without TLS"),
        ("broker: {host: 192.168.1.2}", "broker.host: a broker on 192.168.1.2 without TLS"),
        ("broker: {username: x, passwordFile: y}", "makes its own accounts"),
        ("broker: {mode: external, port: 0}", "has a port of its own"),
        ("broker: {mode: external, host: b.example, username: x, passwordFile: y}", "in the clear"),
        ("broker: {mode: extrenal}", "did you mean 'external'"),
        ("broker: {tls: {certificate: a}}", "belong together"),
        ("polling: {fast: 1}", "with its unit"),
        ("polling: {fast: 1 h}", "outside 10 ms to 1 min"),
        ("polling: {quick: 1 s}", "unknown key 'quick'"),
        ("rign: {series: 5}", "unknown key 'rign'; did you mean 'ring'?"),
        ("ring: {raw: 1 KiB}", "1 KiB is outside 1 MiB to 1 TiB"),
        ("ring: {commit: 2 min}", "2 min is outside 1 s to 1 min"),
        ("ring: {commit: {critical: 1 s}}", "critical samples do not wait"),
        ("ring: {commit: {important: 10 s}}", "ring.commit.important: must not be longer than"),
        ("ring: {commit: {urgent: 1 s}}", "unknown key 'urgent'"),
        ("ring: {raw: 1 apple}", "is not a size; write it like"),
        ("log: {level: loud}", "not one of trace"),
        ("exporters: [{kind: line-protocol, url: 'http://h/write'}]", "exporters[0]: the key 'name' is missing"),
        ("exporters: [{name: a, kind: line-protocol}]", "the key 'url' is missing"),
        ("exporters: [{name: a, kind: line-protokol, url: 'http://h/write'}]", "did you mean 'line-protocol'"),
        ("exporters: [{name: a, kind: line-protocol, url: h}]", "must be http:// or https:// with host and path"),
        ("exporters: [{name: A b, kind: line-protocol, url: 'http://h/w'}]", "may only have the characters"),
        ("exporters: [{name: a, kind: line-protocol, url: 'http://u:p@h/w'}]", "no password in an address"),
        ("exporters: [{name: a, kind: line-protocol, url: 'http://h/w', tokenFile: t}]", "in the clear; use https"),
        ("exporters: [{name: a, kind: line-protocol, url: 'https://h/w', username: u}]", "belong together"),
        ("exporters: [{name: a, kind: line-protocol, url: 'http://h/w', relay: 5}]", "did you mean 'replay'"),
        ("exporters: [{name: a, kind: line-protocol, url: 'http://h/w?precision=s'}]", "remove it from the address"),
        ("exporters: [{name: a, kind: mqtt-json}]", "the key 'host' is missing"),
        ("exporters: [{name: a, kind: mqtt-json, host: h, topic: 'x/{device}/#'}]", "has no '+' and no '#'"),
        ("exporters: [{name: a, kind: mqtt-json, host: h, topic: 'x/{point}/{device}'}]", "placeholder {point}"),
        ("exporters: [{name: a, kind: mqtt-json, host: h, topic: x}]", "'{device}' is missing"),
        ("exporters: [{name: a, kind: mqtt-json, host: h, username: u, passwordFile: p}]", "in the clear; name tls"),
        ("exporters: [{name: a, kind: sparkplug-b, host: h}]", "the key 'group' is missing"),
        ("exporters: [{name: a, kind: sparkplug-b, host: h, group: a/b}]", "is a level of a topic"),
        (
            "exporters: [{name: a, kind: line-protocol, url: 'http://h/w'}, {name: a, kind: line-protocol, url: 'http://i/w'}]",
            "another exporter is called 'a'"
        ),
        ("web: {port: 70000}", "70000 is outside 0 to 65535"),
    ])
    func eachMistakeInTheGatewayFileIsTold(line: String, expected: String) {
        let found = self.gatewayProblems("state: s\nprofiles: [p]\n\(line)\n")
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
        #expect(found.first?.hasPrefix("/etc/g/gateway.yaml:3:") == true, "\(found)")
    }

    @Test func aSiteIsReadWithItsTreeAndDevices() throws {
        let text = """
            site: {id: thpt-1, name: {vi: Trường, en: School}, utcOffset: "+07:00"}
            timetable: {weekdays: [1, 2], lessons: [07:00-07:45, 07:50-08:35]}
            nodes:
              - id: a
                kind: building
                name: {vi: Nhà A, en: Building A}
                children:
                  - {id: a1, kind: room, room: laboratory, name: {vi: Phòng 1, en: Room 1}}
            buses:
              - {id: meters, tcp: {host: 127.0.0.1, port: 1502}, timeout: 300 ms}
              - {id: line, rtu: {device: /dev/ttyS0, baud: 9600, parity: even}, pause: 5 ms}
            devices:
              - {id: m1, node: a1, profile: sdm120, bus: meters, unit: 7}
              - {id: t1, node: a1, profile: am307, parameters: {devEui: abc}, report: 5 min, enabled: false}
            """
        let site = try SiteDefinition.read(yaml: text, file: "site.yaml")
        #expect(site.nodes.map(\.id.rawValue) == ["thpt-1", "a", "a1"])
        #expect(site.nodes[2].parent?.rawValue == "a")
        #expect(site.utcOffsetSeconds == 25_200)
        #expect(site.timetable.lessons.count == 2)
        #expect(site.buses[0].medium == .tcp(host: "127.0.0.1", port: 1_502))
        #expect(site.buses[1].pauseMilliseconds == 5)
        #expect(site.devices[0].address == .bus("meters", unit: 7))
        #expect(site.devices[1].reportMilliseconds == 300_000)
        #expect(site.devices[1].isEnabled == false)
    }

    @Test(arguments: [
        ("  - {id: d, node: r2, profile: p}", "there is no node called 'r2'; did you mean 'r1'?"),
        ("  - {id: d, node: r1, profile: p, bus: b2}", "there is no bus called 'b2'"),
        ("  - {id: d, node: r1, profile: p, unit: 3}", "a unit needs its 'bus'"),
        ("  - {id: d, node: r1, profile: p, bus: b1, parameters: {a: b}}", "parameters are for MQTT"),
        ("  - {id: D, node: r1, profile: p}", "may only have the characters"),
        ("  - {id: d, node: r1}", "the key 'profile' is missing"),
        ("  - {id: d, node: r1, profile: p, nmae: x}", "unknown key 'nmae'; did you mean 'name'?"),
        ("  - {id: d, node: r1, profile: p}\n  - {id: d, node: r1, profile: p}", "two devices are called 'd'"),
        ("  - {id: d, node: r1, profile: p, bus: b1, unit: 256}", "256 is outside 0 to 255"),
    ])
    func eachMistakeInTheSiteFileIsTold(lines: String, expected: String) {
        let found = self.siteProblems(self.minimalSite + lines + "\n")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test func mutatedSiteFilesNeverTrap() {
        let valid = Array((self.minimalSite + "  - {id: d, node: r1, profile: p, bus: b1, unit: 3}\n").utf8)
        var state: UInt64 = 3
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<2_000 {
            var bytes = valid
            for _ in 0...random(4) {
                let index = random(bytes.count)
                if random(2) == 0 { bytes[index] = UInt8(random(128)) } else { bytes.remove(at: index) }
            }
            _ = self.siteProblems(String(decoding: bytes, as: UTF8.self))
            _ = self.gatewayProblems(String(decoding: bytes, as: UTF8.self))
        }
    }
}
