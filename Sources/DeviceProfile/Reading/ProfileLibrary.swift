internal import FoundationEssentials
package import StrictYAML

/// The profiles of one or more folders.
package struct ProfileLibrary: Sendable {
    /// A profile with the text that it was read from.
    package struct Entry: Sendable {
        package var profile: DeviceProfile
        /// The whole file, so that a changed file is noticed.
        package var revision: String
        package var file: String
    }

    /// By identifier.
    package private(set) var entries: [String: Entry] = [:]
    /// What is wrong with files that could not be taken.
    package private(set) var problems: [YAMLProblem] = []

    package init() {}

    /// Reads every `*.yaml` of the folders in order; a later folder overrides an earlier one, a broken file is left out
    /// and told in ``problems``.
    package init(folders: [String]) {
        for folder in folders { self.add(folder: folder) }
    }

    /// All profiles, by identifier.
    package var profiles: [DeviceProfile] {
        self.entries.values.map(\.profile).sorted { $0.id < $1.id }
    }

    /// The profile called `id`.
    package subscript(id: String) -> Entry? { self.entries[id] }

    /// Keeps what `other` knows of profiles whose file cannot be read here: the last good one stays in use.
    ///
    /// Returns their names.
    package mutating func keepLastGood(of other: ProfileLibrary) -> [String] {
        var kept: [String] = []
        for (id, entry) in other.entries where self.entries[id] == nil {
            guard self.problems.contains(where: { $0.file == entry.file }) else { continue }
            self.entries[id] = entry
            kept.append(id)
        }
        return kept.sorted()
    }

    private mutating func add(folder: String) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
                .sorted()
        } catch {
            self.note(folder, "the folder cannot be read: \(error)")
            return
        }
        for name in names {
            let path = "\(folder)/\(name)"
            guard let data = FileManager.default.contents(atPath: path) else {
                self.note(path, "the file cannot be read")
                continue
            }
            guard let text = String(data: data, encoding: .utf8) else {
                self.note(path, "the file is not UTF-8 text")
                continue
            }
            do {
                let profile = try DeviceProfile.read(yaml: text, file: path)
                self.entries[profile.id] = Entry(profile: profile, revision: text, file: path)
            } catch {
                self.problems.append(contentsOf: error.problems)
            }
        }
    }

    private mutating func note(_ file: String, _ message: String) {
        self.problems.append(YAMLProblem(file: file, line: 0, column: 0, path: "", message: message))
    }
}
