import DeviceProfile
import FirmwareContract
import Foundation
import SiteConfiguration
import Testing

/// Contracts between `gateway.yaml`, the profiles of devices and the folders.
struct ContractConfigurationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Reads a site with a classroom node whose profile was changed by `change`.
    private func files(
        contracts: String?,
        change: (String) -> String = { $0 }
    ) throws -> ConfigurationFiles {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-contract-\(UUID())").path
        try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ text: String, _ name: String) throws {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let profile = try String(
            contentsOfFile: "\(Self.root)/DeviceProfiles/campus-classroom-node.yaml",
            encoding: .utf8
        )
        try write(change(profile), "p/campus-classroom-node.yaml")
        try write("state: s\nprofiles: [p]\n" + (contracts.map { "contracts: [\($0)]\n" } ?? ""), "gateway.yaml")
        try write(
            """
            site: {id: s, name: {vi: T, en: T}}
            nodes:
              - {id: r1, kind: room, room: classroom, name: {vi: P, en: R}}
            devices:
              - {id: a, node: r1, profile: campus-classroom-node, parameters: {device: a}}
            """,
            "site.yaml"
        )
        return try ConfigurationFiles.read(path: "\(folder)/gateway.yaml")
    }

    private static let shipped = "\(root)/Firmware-Contracts"

    @Test func aDeviceHasTheContractThatItsProfileNames() throws {
        let files = try self.files(contracts: Self.shipped)
        #expect(files.problems.map(\.description) == [])
        let profile = try #require(files.library["campus-classroom-node"]?.profile)
        #expect(files.contract(of: profile)?.contract.version.description == "1.1.0")
        #expect(files.heartbeatMilliseconds(of: profile) == 60_000)
    }

    @Test func withoutAFolderNothingIsValidatedAndNothingIsWrong() throws {
        let files = try self.files(contracts: nil)
        #expect(files.problems.map(\.description) == [])
        let profile = try #require(files.library["campus-classroom-node"]?.profile)
        #expect(files.contract(of: profile) == nil)
        #expect(files.heartbeatMilliseconds(of: profile) == nil)
    }

    @Test(arguments: [
        (
            "contract: campus-classroom-node/v1", "contract: campus-clasroom-node/v1",
            "there is no contract 'campus-clasroom-node/v1', so payloads are not validated; did you mean"
        ),
        ("pointer: /temperature}", "pointer: /temp}", "point temperature: /temp is not in the message telemetry"),
        ("unit: \"Cel\"", "unit: \"K\"", "point temperature: has the unit K, the contract says Cel"),
        ("format: rfc3339", "format: local", "message telemetry: the clock of the contract is rfc3339, /time"),
        ("campus/{device}/telemetry\"\n", "campus/{device}/data\"\n", "is in no channel of the contract"),
    ])
    func whatDoesNotFitIsToldWithItsPlace(old: String, new: String, words: String) throws {
        let files = try self.files(contracts: Self.shipped) { $0.replacing(old, with: new) }
        let found = files.problems.map(\.description)
        #expect(found.contains { $0.contains(words) && $0.hasPrefix("campus-classroom-node.yaml") }, "\(found)")
    }

    @Test func aFolderThatIsNotThereIsTold() throws {
        let files = try self.files(contracts: "/nowhere/at/all")
        #expect(files.problems.contains { $0.description.contains("the folder cannot be read") })
    }
}
