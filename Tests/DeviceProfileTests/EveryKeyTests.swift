import DeviceProfile
import Foundation
import StrictYAML
import Testing

/// The files that have every key of the format; `Tests/Scripts/profile-schema.py` holds schema.json against the same.
struct EveryKeyTests {
    private static let folder = URL(fileURLWithPath: ShippedProfilesTests.folder).deletingLastPathComponent()
        .appendingPathComponent("Tests/Scripts/profiles").path

    @Test(arguments: ["every-key-modbus.yaml", "every-key-mqtt.yaml", "every-key-line.yaml", "every-key-http.yaml"])
    func aFileWithEveryKeyIsReadAndItsCasesComeOut(file: String) throws {
        let text = try String(contentsOfFile: "\(Self.folder)/\(file)", encoding: .utf8)
        do throws(YAMLProblems) {
            let profile = try DeviceProfile.read(yaml: text, file: file)
            #expect(GoldenRunner.run(profile).map(\.description) == [])
        } catch {
            Issue.record("\(error)")
        }
    }
}
