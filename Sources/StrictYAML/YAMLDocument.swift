internal import Yams

/// A YAML file, parsed, whose values are read strictly.
///
/// Read everything through ``root``, call ``YAMLMap/finish()`` on every map, then ``check()``: it throws all problems
/// of
/// the file at once. Not a general YAML reader: one document, no anchors or aliases, no tags, no repeated keys.
package final class YAMLDocument {
    /// The largest file that is read, bytes.
    package static let bytesMax = 4 << 20
    /// The deepest nesting.
    package static let depthMax = 32

    private let collector: YAMLProblemCollector
    /// The top of the file.
    package let root: YAMLMap

    /// Parses `text`; throws what YAML itself does not allow.
    package init(_ text: String, file: String) throws(YAMLProblems) {
        let collector = YAMLProblemCollector(file: file)
        self.collector = collector
        try Self.checkBounds(text, file: file)
        let node: Node?
        do {
            // What a scalar means is for who reads it: without Yams's rules (regular expressions over every key, to
            // tell whether one stands twice) `1` and `"1"` are the same key, and without its default encoding no
            // variable of the environment has a say.
            node = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch {
            throw YAMLProblems([Self.problem(of: error, file: file)])
        }
        guard let node, case .mapping = node else {
            throw YAMLProblems([
                YAMLProblem(
                    file: file,
                    line: 1,
                    column: 1,
                    path: "",
                    message: "the file must be a list of `key: value` lines; it is "
                        + (node == nil ? "empty" : "something else")
                )
            ])
        }
        self.root = YAMLValue(node: node, path: "", collector: collector).map()
    }

    /// Throws when anything that was read had a problem.
    package func check() throws(YAMLProblems) {
        if !self.collector.problems.isEmpty { throw YAMLProblems(self.collector.problems) }
    }

    /// What the parser must never see: it would follow aliases and nesting as far as they go.
    private static func checkBounds(_ text: String, file: String) throws(YAMLProblems) {
        func fail(_ line: Int, _ message: String) -> YAMLProblems {
            YAMLProblems([YAMLProblem(file: file, line: line, column: 1, path: "", message: message)])
        }
        guard text.utf8.count <= self.bytesMax else {
            throw fail(1, "the file is larger than \(self.bytesMax >> 20) MiB")
        }
        var line = 1
        var flowDepth = 0
        var dashes = 0
        var previous = UInt8(ascii: "\n")
        var quote: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case 0: throw fail(line, "a NUL character is not text")
            case UInt8(ascii: "\n"):
                line += 1
                dashes = 0
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if quote == byte {
                    quote = 0
                } else if quote == 0, Self.startsToken(after: previous) {
                    quote = byte
                }
            case UInt8(ascii: "["), UInt8(ascii: "{"): if quote == 0 { flowDepth += 1 }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): if quote == 0 { flowDepth = max(0, flowDepth - 1) }
            case UInt8(ascii: "-"): dashes += 1
            case UInt8(ascii: "&"), UInt8(ascii: "*"):
                if quote == 0, Self.startsToken(after: previous), dashes >= 0 {
                    throw fail(line, "anchors (&) and aliases (*) are not used here; write the value out")
                }
            default: break
            }
            if flowDepth > Self.depthMax || dashes > 256 { throw fail(line, "nested too deeply") }
            previous = byte
        }
    }

    private static func startsToken(after byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","),
            UInt8(ascii: "\t"):
            true
        default: false
        }
    }

    private static func problem(of error: any Error, file: String) -> YAMLProblem {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return YAMLProblem(
                file: file,
                line: mark.line,
                column: mark.column,
                path: "",
                message: "not YAML: \(problem)"
            )
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            return YAMLProblem(
                file: file,
                line: context.mark.line,
                column: context.mark.column,
                path: "",
                message: "the key '\(duplicates.sorted().joined(separator: "', '"))' stands here twice; remove one"
            )
        case YamlError.reader(let problem, let offset, _, _):
            return YAMLProblem(
                file: file,
                line: 0,
                column: 0,
                path: "",
                message: "not text: \(problem)" + (offset.map { " at byte \($0)" } ?? "")
            )
        default:
            return YAMLProblem(file: file, line: 0, column: 0, path: "", message: "not YAML: \(error)")
        }
    }
}
