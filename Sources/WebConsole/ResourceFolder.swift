package import FoundationEssentials

/// The `Resources` folder of one module: templates, assets and texts that ship beside the executable.
///
/// The folder is searched where `CAMPUS_RESOURCES` says, then beside the executable (a build folder), then in
/// `../share/campus-gateway` (an installation). `Bundle.module` is not used: it traps when the folder is missing.
package struct ResourceFolder: Sendable {
    /// The folder's absolute path.
    package let path: String

    /// A folder at a known place.
    package init(path: String) { self.path = path }

    /// Finds the folder of `module`; throws with every place that was searched.
    package init(
        module: String,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: String = ResourceFolder.executablePath
    ) throws(WebConsoleError) {
        let bundle = "campus-gateway_\(module).resources/Resources"
        let folder = executable.split(separator: "/", omittingEmptySubsequences: true).dropLast().joined(separator: "/")
        var candidates: [String] = []
        if let override = environment["CAMPUS_RESOURCES"], !override.isEmpty {
            candidates = ["\(override)/\(bundle)", "\(override)/\(module)"]
        }
        candidates += ["/\(folder)/\(bundle)", "/\(folder)/../share/campus-gateway/\(bundle)"]
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw WebConsoleError(
                .resourceMissing,
                "the pages of \(module) are not in \(candidates.joined(separator: ", ")): "
                    + "install them beside the executable or set CAMPUS_RESOURCES to the folder that holds them"
            )
        }
        self.path = found
    }

    /// The absolute path of the running executable.
    package static var executablePath: String {
        let linked = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return linked ?? CommandLine.arguments.first ?? ""
    }

    /// Every regular file below `subfolder`, as (path inside the subfolder, contents), sorted; empty without the
    /// folder.
    func files(in subfolder: String, suffix: String = "") throws(WebConsoleError) -> [(name: String, contents: Data)] {
        let root = "\(self.path)/\(subfolder)"
        guard let names = try? FileManager.default.subpathsOfDirectory(atPath: root) else { return [] }
        var files: [(name: String, contents: Data)] = []
        for name in names.sorted() where name.hasSuffix(suffix) {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder), !isFolder else {
                continue
            }
            files.append((name, try Self.contents(of: "\(root)/\(name)")))
        }
        return files
    }

    /// The bytes of one file, or nil when it does not exist.
    package func file(_ name: String) throws(WebConsoleError) -> Data? {
        guard FileManager.default.fileExists(atPath: "\(self.path)/\(name)") else { return nil }
        return try Self.contents(of: "\(self.path)/\(name)")
    }

    private static func contents(of path: String) throws(WebConsoleError) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            throw WebConsoleError(.resourceMissing, "cannot read \(path): \(error)")
        }
    }
}
