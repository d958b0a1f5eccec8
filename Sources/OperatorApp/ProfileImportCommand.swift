internal import ArgumentParser
internal import DeviceProfile
internal import Foundation
internal import ProfileExchange
internal import StrictYAML

extension ProfileCommand {
    /// The command `campusctl profile import`.
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a profile out of a description in another format.",
            discussion: """
                campusctl profile import --from sunspec model_103.json --output DeviceProfiles
                The file is a beginning: it lists what was not taken, and golden cases must be added.
                """
        )

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case edgex
            case sunspec
        }

        @Option(help: "The format of the file: edgex or sunspec.")
        var from: Format

        @Argument(help: "The file to read.")
        var file: String

        @Option(name: .shortAndLong, help: "Folder for the profile; it is printed when left out.")
        var output: String?

        @Flag(help: "Print JSON about what was taken; needs --output.")
        var json = false

        private struct Result: Encodable {
            struct Remark: Encodable {
                var line: Int
                var name: String
                var reason: String
            }

            var file: String
            var points: Int
            var notTaken: [Remark]
        }

        func validate() throws {
            if self.json, self.output == nil { throw ValidationError("--json needs --output") }
        }

        func run() throws {
            let profile: ImportedProfile
            let yaml: String
            do throws(YAMLProblems) {
                profile = try self.read(try? TextFile.read(self.file))
                yaml = try profile.yaml()
            } catch {
                throw OperatorError(error.description)
            }
            guard let output else {
                print(yaml, terminator: "")
                return
            }
            let path = "\(output)/\(profile.id).yaml"
            do {
                // Nobody's work is written over.
                try Data(yaml.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
            } catch {
                throw OperatorError(
                    "\(path): cannot be written: it exists already, or \(output) is no folder to write to"
                )
            }
            let remarks = profile.remarks.map { Result.Remark(line: $0.line, name: $0.name, reason: $0.reason) }
            if self.json {
                print(try JSONOutput.text(Result(file: path, points: profile.points.count, notTaken: remarks)))
            } else {
                for remark in profile.remarks { print("\(self.file):\(remark.line): \(remark.name): \(remark.reason)") }
                print(
                    "\(path): \(profile.points.count) points. Translate the titles, and add golden cases of real frames."
                )
            }
        }

        private func read(_ text: String?) throws(YAMLProblems) -> ImportedProfile {
            guard let text else {
                throw YAMLProblems([
                    YAMLProblem(
                        file: self.file,
                        line: 0,
                        column: 0,
                        path: "",
                        message: "the file cannot be read, or is not UTF-8 text"
                    )
                ])
            }
            switch self.from {
            case .edgex: return try ImportedProfile.edgex(text, file: self.file)
            case .sunspec: return try ImportedProfile.sunspec(text, file: self.file)
            }
        }
    }
}
