import DeviceProfile
import Foundation
import StrictYAML
import Testing

/// Every profile that is shipped, read strictly and decoded against its golden cases.
struct ShippedProfilesTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("DeviceProfiles").path

    static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()

    @Test func atLeastTwentyDevicesInAllCategoriesAreShipped() throws {
        let library = ProfileLibrary(folders: [Self.folder])
        #expect(library.problems.map(\.description) == [])
        #expect(library.profiles.count >= 20)
        #expect(Set(library.profiles.map(\.category)) == Set(DeviceProfile.Category.allCases))
    }

    @Test(arguments: files)
    func goldenCasesComeOutAsTheProfileSays(file: String) throws {
        let text = try String(contentsOfFile: "\(Self.folder)/\(file)", encoding: .utf8)
        do throws(YAMLProblems) {
            let profile = try DeviceProfile.read(yaml: text, file: file)
            #expect(GoldenRunner.run(profile).map(\.description) == [])
        } catch {
            Issue.record("\(error)")
        }
    }
}
