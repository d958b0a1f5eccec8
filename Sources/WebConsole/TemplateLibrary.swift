internal import FoundationEssentials
internal import Mustache

/// The page templates, compiled once at start.
package struct TemplateLibrary: Sendable {
    private var library = MustacheLibrary()
    private var sources: [String: String] = [:]

    /// An empty library.
    package init() {}

    /// Adds every `templates/**/*.mustache` of a module; the name is the path without the ending.
    package mutating func add(_ folder: ResourceFolder) throws(WebConsoleError) {
        for file in try folder.files(in: "templates", suffix: ".mustache") {
            let name = String(file.name.dropLast(".mustache".count))
            try self.add(name, String(decoding: file.contents, as: UTF8.self))
        }
    }

    /// Adds one template.
    package mutating func add(_ name: String, _ source: String) throws(WebConsoleError) {
        guard self.sources[name] == nil else {
            throw WebConsoleError(.resourceDuplicate, "two modules bring a template named \(name): rename one")
        }
        do {
            try self.library.register(source, named: name)
        } catch {
            throw WebConsoleError(.templateInvalid, "template \(name): \(error)")
        }
        self.sources[name] = source
    }

    /// All names, sorted.
    package var names: [String] { self.sources.keys.sorted() }

    /// Whether there is a template `name`.
    package func contains(_ name: String) -> Bool { self.sources[name] != nil }

    /// The source of a template, for checks.
    package func source(_ name: String) -> String { self.sources[name] ?? "" }

    /// Renders `name` with `context`; every value is escaped unless the template asks otherwise.
    func render(_ name: String, _ context: Any) -> String? {
        self.library.render(context, withTemplate: name)
    }

    /// Throws when a template uses a text, an asset or a partial that does not exist.
    func check(texts: TextTable, assets: [String: String]) throws(WebConsoleError) {
        for name in self.names {
            for tag in Self.tags(in: self.source(name)) {
                if tag.hasPrefix("t."), texts[String(tag.dropFirst(2))] == nil {
                    throw WebConsoleError(.textInvalid, "template \(name) uses the text “\(tag)”, which no module has")
                }
                if tag.hasPrefix("asset."), assets[String(tag.dropFirst(6))] == nil, !tag.hasPrefix("asset.dygraph") {
                    throw WebConsoleError(.templateInvalid, "template \(name) uses \(tag), which no module has")
                }
                if tag.hasPrefix(">"), !tag.hasPrefix(">*"), !self.contains(String(tag.dropFirst())) {
                    throw WebConsoleError(.templateInvalid, "template \(name) includes \(tag), which does not exist")
                }
            }
        }
    }

    /// What stands between `{{` and `}}`: `t.login.title`, `>pill`, without section marks and spaces.
    static func tags(in source: String) -> [String] {
        var tags: [String] = []
        var rest = source[...]
        while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
            let tag = rest[open.upperBound..<close.lowerBound].filter { !" \n{&#^/".contains($0) || $0 == "/" }
            tags.append(tag.first == "/" ? String(tag.dropFirst()) : tag)
            rest = rest[close.upperBound...]
        }
        return tags
    }
}
