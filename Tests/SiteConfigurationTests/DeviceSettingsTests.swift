import CampusModel
import DeviceProfile
import Foundation
import SiteConfiguration
import Testing

/// What `site.yaml` says of a device that its profile asks for.
struct DeviceSettingsTests {
    private func files(device: String) throws -> ConfigurationFiles {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-settings-\(UUID())").path
        try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ text: String, _ name: String) throws {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        try write(
            """
            profile: aircon
            vendor: V
            model: M
            category: classroom
            title: {vi: T, en: T}
            sources: [{title: "by hand", trust: C}]
            verified: false
            settings:
              - {name: format, title: {vi: Đ, en: F}, options: [{value: celsius, vi: C, en: C}, {value: tenths, vi: T, en: T}]}
            modbus: {}
            points:
              - {name: t, only: {format: celsius}, title: {vi: T, en: T}, unit: Cel, wire: {table: holding, address: 5, type: int16}}
              - {name: t, only: {format: tenths}, title: {vi: T, en: T}, unit: Cel, wire: {table: holding, address: 5, type: int16}, scale: {divide: 10}}
            tests:
              - {name: none, modbus: [{request: "01 03 00 00 00 01 84 0A", response: "01 03 02 00 00 B8 44"}], expectEvents: []}
            """,
            "p/aircon.yaml"
        )
        try write("state: state\nprofiles: [p]\n", "gateway.yaml")
        try write(
            """
            site: {id: s, name: {vi: Trường, en: School}}
            nodes: [{id: r1, kind: room, room: classroom, name: {vi: Phòng, en: Room}}]
            buses: [{id: b, tcp: {host: 127.0.0.1}}]
            devices:
              - {id: a, node: r1, profile: aircon, bus: b\(device)}
            """,
            "site.yaml"
        )
        return try ConfigurationFiles.read(path: "\(folder)/gateway.yaml")
    }

    @Test func theDeviceHasThePointsOfItsSettingsAtItsAddresses() throws {
        let files = try self.files(device: ", settings: {format: tenths}, addressOffset: 32")
        #expect(files.problems.isEmpty, "\(files.problems)")
        let profile = try #require(files.profile(of: files.site.devices[0]))
        #expect(profile.points.map(\.scale.divide) == [10])
        #expect(RegisterPlan(profile: profile, poll: .normal).reads.map(\.address) == [37])
    }

    @Test(arguments: [
        ("", "settings: {format: …}"), (", settings: {format: kelvin}", "celsius, tenths"),
        (", settings: {form: tenths}", "form"), (", settings: {format: tenths}, addressOffset: 65535", "65535"),
    ])
    func whatDoesNotFitIsAProblemOfThatDeviceInBothLanguages(device: String, word: String) throws {
        let files = try self.files(device: device)
        #expect(files.problems.contains { "\($0)".contains(word) && "\($0)".contains("device a") }, "\(files.problems)")
        #expect(files.profile(of: files.site.devices[0]) == nil)
    }
}
