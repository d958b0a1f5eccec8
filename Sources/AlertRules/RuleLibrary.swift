internal import AlertEngine
internal import Foundation
package import StrictYAML

/// The rules of one or more folders.
package struct RuleLibrary: Sendable {
    /// By identifier of the pack.
    package private(set) var packs: [RulePack] = []
    /// What is wrong with files that could not be taken.
    package private(set) var problems: [YAMLProblem] = []

    package init() {}

    /// Reads every `*.yaml` of the folders in order; a pack of a later folder takes the place of one with its name, a
    /// broken file is left out and told in ``problems``.
    package init(folders: [String]) {
        for folder in folders {
            do {
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                for name in names.sorted() where name.hasSuffix(".yaml") && !name.hasSuffix(".test.yaml") {
                    self.add(file: "\(folder)/\(name)")
                }
            } catch {
                self.note(folder, "the folder cannot be read; does it exist, and may this user read it?")
            }
        }
        self.dropRepeated()
    }

    /// Reads single files.
    package init(files: [String]) {
        for file in files { self.add(file: file) }
        self.dropRepeated()
    }

    /// All rules, in the order of packs and files.
    package var templates: [RuleTemplate] { self.packs.flatMap(\.rules) }

    /// The pack of a rule.
    package func pack(of rule: String) -> RulePack? {
        self.packs.first { $0.rules.contains { $0.rule.id == rule } }
    }

    /// Keeps what `other` knows of packs whose file cannot be read here: the last good one stays in use.
    ///
    /// Returns their names.
    package mutating func keepLastGood(of other: RuleLibrary) -> [String] {
        var kept: [String] = []
        for pack in other.packs where !self.packs.contains(where: { $0.id == pack.id }) {
            guard self.problems.contains(where: { $0.file == pack.file }) else { continue }
            self.packs.append(pack)
            kept.append(pack.id)
        }
        return kept.sorted()
    }

    private mutating func add(file: String) {
        guard let data = FileManager.default.contents(atPath: file) else {
            self.note(file, "the file cannot be read")
            return
        }
        guard let text = String(data: data, encoding: .utf8) else {
            self.note(file, "not UTF-8 text")
            return
        }
        do throws(YAMLProblems) {
            let pack = try RulePack.read(yaml: text, file: file)
            self.packs.removeAll { $0.id == pack.id }
            self.packs.append(pack)
        } catch {
            self.problems.append(contentsOf: error.problems)
        }
    }

    /// A rule's name is used once among all packs.
    private mutating func dropRepeated() {
        var owners: [String: String] = [:]
        for index in self.packs.indices {
            let file = self.packs[index].file
            for template in self.packs[index].rules {
                if let owner = owners[template.rule.id] {
                    self.problems.append(
                        YAMLProblem(
                            file: file,
                            line: template.line,
                            column: 1,
                            path: "rules",
                            message:
                                "a rule called '\(template.rule.id)' is in \(owner) already; it counts, this one does not"
                        )
                    )
                }
            }
            self.packs[index].rules.removeAll { owners[$0.rule.id] != nil }
            for template in self.packs[index].rules { owners[template.rule.id] = file }
        }
    }

    private mutating func note(_ file: String, _ message: String) {
        self.problems.append(YAMLProblem(file: file, line: 0, column: 0, path: "", message: message))
    }
}
