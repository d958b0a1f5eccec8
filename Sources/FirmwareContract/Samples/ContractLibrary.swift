internal import FoundationEssentials
package import StrictYAML

/// The contracts of one or more folders: `<family>/v<major>/asyncapi.yaml`, with the minor versions before it under
/// `older/` and payloads under `samples/`.
package struct ContractLibrary: Sendable {
    /// A contract with everything that belongs to it.
    package struct Entry: Sendable {
        package var contract: FirmwareContract
        /// Released minor versions of the same major version, oldest first.
        package var older: [FirmwareContract]
        /// The texts that they were read from, so that a changed file is noticed.
        package var revision: String
        package var file: String

        package init(contract: FirmwareContract, older: [FirmwareContract], revision: String, file: String) {
            self.contract = contract
            self.older = older
            self.revision = revision
            self.file = file
        }
    }

    package private(set) var entries: [ContractName: Entry] = [:]
    /// What is wrong with files that could not be taken.
    package private(set) var problems: [YAMLProblem] = []

    package init() {}

    /// Reads all contracts of the folders in order; a later folder overrides an earlier one, a broken contract is left
    /// out and told in ``problems``.
    package init(folders: [String]) {
        for folder in folders { self.add(folder: folder) }
    }

    /// The contract called `name`.
    package subscript(name: ContractName) -> Entry? { self.entries[name] }

    /// All names, sorted.
    package var names: [ContractName] { self.entries.keys.sorted() }

    /// Takes everything of `other`, which overrides what is here.
    package mutating func merge(_ other: ContractLibrary) {
        self.entries.merge(other.entries) { _, theirs in theirs }
        self.problems += other.problems
    }

    /// Keeps what `other` knows of contracts that could not be read here: the last good one stays in use.
    ///
    /// Returns their names.
    package mutating func keepLastGood(of other: ContractLibrary) -> [ContractName] {
        var kept: [ContractName] = []
        for (name, entry) in other.entries where self.entries[name] == nil {
            let folder = entry.file.dropLast("asyncapi.yaml".count)
            guard self.problems.contains(where: { $0.file.hasPrefix(folder) }) else { continue }
            self.entries[name] = entry
            kept.append(name)
        }
        return kept.sorted()
    }

    private mutating func add(folder: String) {
        guard let families = Self.names(in: folder) else {
            self.note(folder, "the folder cannot be read")
            return
        }
        for family in families where !family.hasPrefix(".") && Self.isFolder("\(folder)/\(family)") {
            for version in Self.names(in: "\(folder)/\(family)") ?? [] where version.hasPrefix("v") {
                self.add(version: "\(folder)/\(family)/\(version)")
            }
        }
    }

    /// Reads one folder `<family>/v<major>`.
    package mutating func add(version folder: String) {
        let parts = folder.split(separator: "/").suffix(2)
        guard let name = ContractName(parts.joined(separator: "/")) else {
            self.note(folder, "the folder must be called FAMILY/v1, v2, …")
            return
        }
        let file = "\(folder)/asyncapi.yaml"
        guard let (contract, text) = self.contract(file) else { return }
        var entry = Entry(contract: contract, older: [], revision: text, file: file)
        if contract.name != name {
            self.note(
                file,
                "says that it is \(contract.name) (x-campus.family and info.version); its folder is \(name)"
            )
            return
        }
        var isGood = true
        for older in Self.names(in: "\(folder)/older") ?? [] where older.hasSuffix(".yaml") {
            let path = "\(folder)/older/\(older)"
            guard let (found, text) = self.contract(path) else {
                isGood = false
                continue
            }
            if found.name != name || "\(found.version).yaml" != older || found.version >= contract.version {
                self.note(path, "must be an older version of \(name), named after it; it is \(found.version)")
                isGood = false
            }
            entry.older.append(found)
            entry.revision += text
        }
        entry.older.sort { $0.version < $1.version }
        if isGood { self.entries[name] = entry }
    }

    private mutating func contract(_ file: String) -> (FirmwareContract, String)? {
        guard let text = Self.text(of: file) else {
            self.note(file, "the file cannot be read as UTF-8 text")
            return nil
        }
        do {
            return (try FirmwareContract.read(yaml: text, file: file), text)
        } catch {
            self.problems.append(contentsOf: error.problems)
            return nil
        }
    }

    /// The samples of the contract whose file is `file`, and what is wrong with them.
    package static func samples(beside file: String) -> (samples: [ContractSamples], problems: [YAMLProblem]) {
        let folder = "\(file.dropLast("asyncapi.yaml".count))samples"
        var samples: [ContractSamples] = []
        var problems: [YAMLProblem] = []
        func note(_ path: String, _ message: String) {
            problems.append(YAMLProblem(file: path, line: 0, column: 0, path: "", message: message))
        }
        for name in self.names(in: folder) ?? [] where name.hasSuffix(".yaml") {
            let path = "\(folder)/\(name)"
            guard let text = self.text(of: path) else {
                note(path, "the file cannot be read as UTF-8 text")
                continue
            }
            do {
                samples.append(try ContractSamples.read(yaml: text, file: path))
            } catch {
                problems += error.problems
            }
        }
        if samples.isEmpty, problems.isEmpty {
            note(folder, "there is no sample: put payloads into MAJOR.MINOR.yaml, with what must come out of them")
        }
        return (samples, problems)
    }

    private static func names(in folder: String) -> [String]? {
        try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    private static func text(of path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return String(data: data, encoding: .utf8)
    }

    private mutating func note(_ file: String, _ message: String) {
        self.problems.append(YAMLProblem(file: file, line: 0, column: 0, path: "", message: message))
    }
}
