internal import AlertEngine
internal import AlertRules
internal import ArgumentParser
internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import SiteConfiguration
internal import StrictYAML

/// The command `campusctl rules`.
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check, test and explain rules of alerts; needs no running gateway.",
        subcommands: [Check.self, Test.self, Explain.self]
    )

    /// Rules out of files, or those that gateway.yaml names.
    struct Source: ParsableArguments {
        @Argument(help: "Files of rules; without any, those of the folders that gateway.yaml names.")
        var files: [String] = []

        @Option(name: .shortAndLong, help: "Path of gateway.yaml: rules are also laid on its site.")
        var config: String?

        /// Files of tests stand beside the rules: `rules check folder/*.yaml` means the rules.
        private var given: RuleLibrary { RuleLibrary(files: self.files.filter { !$0.hasSuffix(".test.yaml") }) }

        func read() throws -> (library: RuleLibrary, site: WatchedSite?) {
            guard let config else {
                guard !self.files.isEmpty else { throw OperatorError("give files of rules, or --config gateway.yaml") }
                return (self.given, nil)
            }
            let read: ConfigurationFiles
            do throws(ConfigurationError) {
                read = try ConfigurationFiles.read(path: config)
            } catch {
                throw OperatorError(error.description)
            }
            return (self.files.isEmpty ? read.rules : self.given, read.watchedSite)
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read rules strictly; with --config also see what they watch at this site."
        )

        @OptionGroup var source: Source
        @Flag(help: "Print JSON.") var json = false

        private struct Result: Encodable {
            struct Rule: Encodable {
                var rule: String
                var watches: Int
            }

            var good: Bool
            var problems: [String]
            var packs: Int
            var rules: Int
            var instances: Int?
            var watched: [Rule]?
        }

        func run() throws {
            let (library, site) = try self.source.read()
            let binding = site.map { RuleBinding(library.templates, on: $0) }
            let problems =
                library.problems.map(\.description)
                + (binding?.problems ?? [])
                .map { "\(library.pack(of: $0.rule)?.file ?? ""):\($0.line): rule \($0.rule): \($0.text.en)" }
            let counts = binding.map { binding in
                library.templates.enumerated()
                    .map { index, template in
                        Result.Rule(
                            rule: template.rule.id,
                            watches: binding.set.instances.count { $0.rule == index }
                        )
                    }
            }
            let result = Result(
                good: problems.isEmpty,
                problems: problems,
                packs: library.packs.count,
                rules: library.templates.count,
                instances: binding?.set.instances.count,
                watched: counts
            )
            if self.json {
                print(try JSONOutput.text(result))
            } else {
                for problem in problems { print(problem) }
                if let counts { TextTable.print(["RULE", "WATCHES"], counts.map { [$0.rule, "\($0.watches)"] }) }
                if result.good {
                    let watched = result.instances.map { ", \($0) alerts at this site" } ?? ""
                    print("good: \(result.packs) packs, \(result.rules) rules\(watched)")
                }
            }
            if !result.good { throw ExitCode(1) }
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run unit tests of rules: files of series, and of what must be true when (docs/formats/rules.md)."
        )

        @Argument(help: "Files of tests.") var files: [String]
        @Flag(help: "Also print what happened, step by step.") var verbose = false
        @Flag(help: "Print JSON.") var json = false

        private struct Result: Encodable {
            var file: String
            var test: String
            var good: Bool
            var failures: [String]
        }

        func run() throws {
            var results: [Result] = []
            for path in self.files { results += try self.run(path) }
            if self.json {
                print(try JSONOutput.text(results))
            } else {
                for result in results {
                    print("\(result.good ? "ok  " : "FAIL") \(result.file): \(result.test)")
                    for failure in result.failures { print("     \(failure)") }
                }
                print("\(results.count) tests, \(results.count { !$0.good }) failed")
            }
            if results.contains(where: { !$0.good }) { throw ExitCode(1) }
        }

        private func run(_ path: String) throws -> [Result] {
            let file: RuleTestFile
            do throws(YAMLProblems) {
                file = try RuleTestFile.read(yaml: try self.text(path), file: path)
            } catch {
                throw OperatorError(error.description)
            }
            let folder = (path as NSString).deletingLastPathComponent
            let library = RuleLibrary(
                files: file.ruleFiles.map { $0.hasPrefix("/") || folder.isEmpty ? $0 : "\(folder)/\($0)" }
            )
            guard library.problems.isEmpty else {
                throw OperatorError(library.problems.map(\.description).joined(separator: "\n"))
            }
            let (found, binding) = RuleTestRunner.run(file, rules: library.templates)
            for problem in binding.problems where !self.json { print("note: rule \(problem.rule): \(problem.text.en)") }
            if self.verbose, !self.json {
                for result in found {
                    print("\(path): \(result.name)")
                    for transition in result.transitions { print("  \(Self.line(transition))") }
                }
            }
            return found.map {
                Result(file: path, test: $0.name, good: $0.failures.isEmpty, failures: $0.failures)
            }
        }

        private func text(_ path: String) throws(YAMLProblems) -> String {
            do {
                return try TextFile.read(path)
            } catch {
                throw YAMLProblems([YAMLProblem(file: path, line: 0, column: 0, path: "", message: "\(error)")])
            }
        }

        private static func line(_ transition: AlertTransition) -> String {
            let value = transition.value.map { " \(NumberText.text($0))" } ?? ""
            return "\(UTCText.rfc3339(transition.tick)) \(transition.kind.rawValue) \(transition.key)\(value) "
                + "(\(transition.state.rawValue), \(transition.timetable.word))"
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say in words what rules do, where their limits come from, and what they watch."
        )

        @OptionGroup var source: Source
        @Option(help: "One rule only.") var rule: String?
        @Option(help: "vi or en.") var lang = Language.en

        func run() throws {
            let (library, site) = try self.source.read()
            guard library.problems.isEmpty else {
                throw OperatorError(library.problems.map(\.description).joined(separator: "\n"))
            }
            let chosen = library.templates.filter { self.rule == nil || $0.rule.id == self.rule }
            if let rule, chosen.isEmpty {
                let near = NearestWord.suggestion(for: rule, among: library.templates.map(\.rule.id))
                throw OperatorError("there is no rule '\(rule)'\(near.map { "; did you mean '\($0)'?" } ?? "")")
            }
            let binding = site.map { RuleBinding(chosen, on: $0) }
            for (index, template) in chosen.enumerated() {
                for line in RuleWords.lines(template, library.pack(of: template.rule.id), in: self.lang) {
                    print(line)
                }
                let watched = binding?.set.instances.filter { $0.rule == index }.map(\.instance)
                if let watched {
                    let shown = watched.prefix(10).joined(separator: ", ")
                    print("  \(watched.count): \(shown)\(watched.count > 10 ? ", …" : "")")
                }
            }
        }
    }
}
