import DeviceProfile
import Foundation
import StrictYAML
import Testing

/// Files that a tired author, a bad editor or half a copy leaves behind.
struct MutatedFilesTests {
    private static let folder = URL(fileURLWithPath: ShippedProfilesTests.folder).deletingLastPathComponent()
        .appendingPathComponent("Tests/Scripts/profiles").path

    /// A word of one place put into another, a line twice, a line gone: an error with a line, or a profile that can be
    /// run; never a trap.
    @Test(arguments: ["every-key-modbus.yaml", "every-key-mqtt.yaml"])
    func aFileMayBeBrokenAnywhere(file: String) throws {
        let text = try String(contentsOfFile: "\(Self.folder)/\(file)", encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let words = text.split { " ,{}[]\n".contains($0) }.map(String.init)
        var random = RegisterPlanTests.Seeded(state: 77)
        var refused = 0
        var accepted = 0
        for _ in 0..<400 {
            var mutated = lines
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let index = Int.random(in: 10..<mutated.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: mutated.remove(at: index)
                case 1: mutated.insert(mutated[index], at: index)
                case 2: mutated[index] = String(mutated[index].dropLast(Int.random(in: 1...9, using: &random)))
                default:
                    let old = words.randomElement(using: &random) ?? "a"
                    let new = words.randomElement(using: &random) ?? "b"
                    mutated[index] = mutated[index].replacing(old, with: new)
                }
            }
            do throws(YAMLProblems) {
                let profile = try DeviceProfile.read(yaml: mutated.joined(separator: "\n"), file: file)
                _ = GoldenRunner.run(profile)
                accepted += 1
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.allSatisfy { $0.line > 0 }, "\(error)")
                refused += 1
            }
        }
        #expect(refused > 100 && accepted > 10, "\(refused) refused, \(accepted) read")
    }
}
