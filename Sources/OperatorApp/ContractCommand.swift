internal import ArgumentParser
internal import CampusModel
internal import DeviceProfile
internal import FirmwareContract
internal import Foundation
internal import StrictYAML

/// The command `campusctl contract`.
struct ContractCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contract",
        abstract: "What firmware families promise to publish: check, compare, validate, generate.",
        discussion: """
            FOLDER is Firmware-Contracts, or one version in it such as Firmware-Contracts/esp-rfid/v1.
            """,
        subcommands: [
            Check.self, Diff.self, Test.self, ContractValidateCommand.self, Header.self, Vectors.self,
        ]
    )

    /// Contracts that were named on the command line.
    struct Source {
        var library = ContractLibrary()

        init(_ folders: [String]) {
            for folder in folders {
                let path = folder.hasSuffix("/") && folder.count > 1 ? String(folder.dropLast()) : folder
                if FileManager.default.fileExists(atPath: "\(path)/asyncapi.yaml") {
                    // The names of the folders are part of the contract: they are taken from the full path.
                    let full = URL(fileURLWithPath: path).standardizedFileURL.path
                    self.library.add(version: path.contains("/") ? path : full)
                } else {
                    self.library.merge(ContractLibrary(folders: [path]))
                }
            }
        }

        var entries: [ContractLibrary.Entry] { self.library.names.compactMap { self.library[$0] } }

        /// The only contract of `folder`.
        static func one(_ folder: String) throws -> ContractLibrary.Entry {
            let source = Source([folder])
            let problems = source.library.problems.map(\.description)
            guard problems.isEmpty else { throw OperatorError(problems.joined(separator: "\n")) }
            guard let entry = source.entries.first, source.entries.count == 1 else {
                throw OperatorError("\(folder): name one version of a contract, such as \(folder)/FAMILY/v1")
            }
            return entry
        }
    }

    /// What `--json` prints of one contract.
    struct Result: Encodable {
        var contract: String
        var version: String?
        var good: Bool
        var problems: [String] = []
        var remarks: [String] = []
        var samples: Int?
    }

    static func show(_ results: [Result], json: Bool) throws {
        if json {
            print(try JSONOutput.text(results))
        } else {
            for result in results {
                for problem in result.problems { print(problem) }
                for remark in result.remarks { print("note: \(remark)") }
                if result.good {
                    let samples = result.samples.map { ", \($0) samples" } ?? ""
                    print("\(result.contract) \(result.version ?? ""): good\(samples)")
                }
            }
        }
        if results.isEmpty { throw OperatorError("there is no contract") }
        if !results.allSatisfy(\.good) { throw ExitCode(1) }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read contracts strictly: well-formed, bounded, numbers that say what changed, good samples."
        )

        @Argument(help: "Folders.")
        var folders: [String] = ["Firmware-Contracts"]

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let source = Source(self.folders)
            var results = source.entries.map(Self.check)
            if !source.library.problems.isEmpty {
                let problems = source.library.problems.map(\.description)
                results.append(Result(contract: "-", good: false, problems: problems))
            }
            try ContractCommand.show(results, json: self.json)
        }

        private static func check(_ entry: ContractLibrary.Entry) -> Result {
            var result = Result(
                contract: entry.contract.name.description,
                version: entry.contract.version.description,
                good: true
            )
            for older in entry.older {
                let comparison = ContractComparison(old: older, new: entry.contract)
                guard let problem = comparison.problem else { continue }
                result.problems.append("\(entry.file): \(problem.en)")
                result.problems += comparison.changes.filter { $0.level == comparison.level }.map { "  \($0)" }
            }
            let (samples, problems) = ContractLibrary.samples(beside: entry.file)
            result.problems += problems.map(\.description)
            result.problems += samples.flatMap { SampleCheck.problems(of: $0, entry, profiles: nil) }
            result.samples = samples.reduce(0) { $0 + $1.samples.count }
            result.good = result.problems.isEmpty
            return result
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Samples of every version still give the same values, and profiles read what is promised."
        )

        @Argument(help: "Folders.")
        var folders: [String] = ["Firmware-Contracts"]

        @Option(help: "Folders with device profiles.")
        var profiles: [String] = ["DeviceProfiles"]

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let source = Source(self.folders)
            let library = ProfileLibrary(folders: self.profiles)
            var results = source.entries.map { Self.test($0, library.profiles) }
            let problems = source.library.problems.map(\.description) + library.problems.map(\.description)
            if !problems.isEmpty { results.append(Result(contract: "-", good: false, problems: problems)) }
            try ContractCommand.show(results, json: self.json)
        }

        private static func test(_ entry: ContractLibrary.Entry, _ profiles: [DeviceProfile]) -> Result {
            var result = Result(
                contract: entry.contract.name.description,
                version: entry.contract.version.description,
                good: true
            )
            let (samples, problems) = ContractLibrary.samples(beside: entry.file)
            result.problems = problems.map(\.description)
            result.problems += samples.flatMap { SampleCheck.problems(of: $0, entry, profiles: profiles) }
            result.samples = samples.reduce(0) { $0 + $1.samples.count }
            for profile in profiles where profile.contract == entry.contract.name.description {
                for finding in ProfileCoverage.ofAllVariants(profile, contract: entry.contract).findings {
                    let line = "profile \(profile.id): \(finding)"
                    if finding.isProblem { result.problems.append(line) } else { result.remarks.append(line) }
                }
            }
            result.good = result.problems.isEmpty
            return result
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell what changed, and whether the version says so.",
            discussion: """
                campusctl contract diff FOLDER        the contract with every older minor version of it
                campusctl contract diff OLD NEW       two documents, or two folders
                Exit code 1: the new version's number is too low for what changed.
                """
        )

        @Argument(help: "One folder, or two documents or folders.")
        var paths: [String]

        @Option(help: "Language: vi or en.")
        var lang = Language.en

        @Flag(help: "Print JSON.")
        var json = false

        private struct Answer: Encodable {
            struct Change: Encodable {
                var level: String
                var place: String
                var text: LocalizedText
            }

            var old: String
            var new: String
            var level: String?
            var good: Bool
            var problem: LocalizedText?
            var changes: [Change]
        }

        func run() throws {
            let comparisons = try self.comparisons()
            if self.json {
                print(
                    try JSONOutput.text(
                        comparisons.map { one in
                            Answer(
                                old: "\(one.old.name) \(one.old.version)",
                                new: "\(one.new.name) \(one.new.version)",
                                level: one.level?.description,
                                good: one.problem == nil,
                                problem: one.problem,
                                changes: one.changes.map {
                                    Answer.Change(level: $0.level.description, place: $0.place, text: $0.text)
                                }
                            )
                        }
                    )
                )
            } else {
                if comparisons.isEmpty { print("there is no older version") }
                for comparison in comparisons { self.show(comparison) }
            }
            if comparisons.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
        }

        private func show(_ comparison: ContractComparison) {
            let level = comparison.level.map { "\($0)" } ?? "nothing"
            print("\(comparison.old.name) \(comparison.old.version) -> \(comparison.new.version): \(level)")
            for change in comparison.changes { print("  \(change.line(in: self.lang))") }
            if let problem = comparison.problem { print("  problem: \(problem.text(in: self.lang))") }
        }

        private func comparisons() throws -> [ContractComparison] {
            switch self.paths.count {
            case 1:
                let entry = try Source.one(self.paths[0])
                return entry.older.map { ContractComparison(old: $0, new: entry.contract) }
            case 2:
                let contracts = try self.paths.map(self.read)
                return [ContractComparison(old: contracts[0], new: contracts[1])]
            default: throw OperatorError("name one folder, or two documents or folders")
            }
        }

        private func read(_ path: String) throws -> FirmwareContract {
            let file = path.hasSuffix(".yaml") ? path : "\(path)/asyncapi.yaml"
            do throws(YAMLProblems) {
                return try FirmwareContract.read(yaml: try Self.text(file), file: file)
            } catch {
                throw OperatorError(error.description)
            }
        }

        private static func text(_ file: String) throws(YAMLProblems) -> String {
            do { return try TextFile.read(file) } catch {
                throw YAMLProblems([YAMLProblem(file: file, line: 0, column: 0, path: "", message: "\(error)")])
            }
        }
    }

    struct Header: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a C99 header with an encoder for each message: no heap, no floats."
        )

        @Argument(help: "One version of a contract.")
        var folder: String

        @Option(name: .shortAndLong, help: "Folder to write into; without it the header is printed.")
        var output: String?

        @Flag(help: "Also write example.c, which prints payloads of every message (with --output).")
        var example = false

        func run() throws {
            let entry = try Source.one(self.folder)
            let header: CHeader
            do throws(CHeaderProblem) { header = try CHeader(contract: entry.contract) } catch {
                throw OperatorError("\(entry.file): \(error.description)")
            }
            guard let output else { return print(header.text) }
            try ContractCommand.write(header.text, "\(output)/\(header.fileName)")
            if self.example { try ContractCommand.write(header.example, "\(output)/example.c") }
        }
    }

    struct Vectors: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make test vectors: valid payloads, and payloads with one fault each."
        )

        @Argument(help: "One version of a contract.")
        var folder: String

        @Option(name: .shortAndLong, help: "File to write; without it they are printed.")
        var output: String?

        func run() throws {
            let contract = try Source.one(self.folder).contract
            let text = VectorJSON.text(of: ContractVectors(contract: contract), contract)
            guard let output else { return print(text, terminator: "") }
            try ContractCommand.write(text, output)
        }
    }

    static func write(_ text: String, _ path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw OperatorError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

extension Language: ExpressibleByArgument {}
