import DeviceProfile
import SiteConfiguration
import StrictYAML
import Testing

struct PushConfigurationTests {
    private func push(_ text: String) throws -> GatewayConfiguration.Push? {
        try GatewayConfiguration.read(yaml: "state: s\nprofiles: [p]\n\(text)\n", file: "/e/gateway.yaml").push
    }

    @Test func nobodyListensUnlessTheFileSaysSo() throws {
        #expect(try self.push("") == nil)
        let push = try #require(try self.push("push: {port: 9000}"))
        #expect(push.host == "127.0.0.1" && push.port == 9_000 && push.bodyBytesMax == 1_048_576)
    }

    @Test func anOpenAddressNeedsTLSOrNetworks() throws {
        #expect(throws: YAMLProblems.self) { try self.push("push: {host: 0.0.0.0}") }
        let push = try #require(try self.push("push: {host: 0.0.0.0, networks: [192.168.20.0/24]}"))
        #expect(push.networks.contains { $0.contains("192.168.20.7") })
        #expect(push.networks.contains { $0.contains("::ffff:192.168.20.7") })
        #expect(!push.networks.contains { $0.contains("192.168.21.7") || $0.contains("::1") || $0.contains("") })
        _ = try self.push("push: {host: 0.0.0.0, tls: {certificate: c, key: k}}")
    }

    @Test(arguments: ["192.168.20.1/24", "300.1.1.1", "1.2.3", "1.2.3.4/33", "x", "1.2.3.4/"])
    func whatIsNoNetworkIsRefused(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func aLineBusSaysWhereTheDeviceIs() throws {
        func place(_ line: String) throws -> SiteDefinition.Bus.LinePlace.Port? {
            let text = """
                site: {id: s, name: {vi: S, en: S}}
                nodes: [{id: r, kind: room, room: other, name: {vi: R, en: R}}]
                buses: [{id: b, line: \(line)}]
                """
            let site = try SiteDefinition.read(yaml: text, file: "site.yaml")
            guard case .line(let place) = site.buses[0].medium else { return nil }
            return place.port
        }
        #expect(try place("{host: h, port: 9}") == .tcp(host: "h", port: 9))
        guard case .serial("/dev/a", .some(let serial)) = try place("{device: /dev/a, baud: 9600, parity: even}") else {
            Issue.record("a serial port is one")
            return
        }
        #expect(serial.baud == 9_600 && serial.parity == .even && serial.dataBits == 8 && serial.stopBits == 1)
        for wrong in [
            "{}", "{host: h, device: d}", "{host: h, baud: 9600}", "{device: d, port: 1}", "{device: d, parity: odd}",
        ] {
            #expect(throws: YAMLProblems.self, "\(wrong)") { try place(wrong) }
        }
    }
}
