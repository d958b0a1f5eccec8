/// One thing that is wrong in a YAML file, with its place.
package struct YAMLProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it.
    package var file: String
    /// From 1; 0 when the problem has no place.
    package var line: Int
    /// From 1; 0 when the problem has no place.
    package var column: Int
    /// Where in the structure: `points[3].scale.divide`; empty at the top.
    package var path: String
    /// What is wrong and what to do.
    package var message: String

    package init(file: String, line: Int, column: Int, path: String, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    /// `file:line:column: path: message`, the form that editors jump to.
    package var description: String {
        let place = self.line > 0 ? "\(self.file):\(self.line):\(self.column)" : self.file
        return self.path.isEmpty ? "\(place): \(self.message)" : "\(place): \(self.path): \(self.message)"
    }
}

/// Everything that is wrong in a file, in the order of its lines.
package struct YAMLProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [YAMLProblem]

    package init(_ problems: [YAMLProblem]) {
        self.problems = problems.sorted { ($0.line, $0.column, $0.message) < ($1.line, $1.column, $1.message) }
    }

    package var description: String { self.problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems while a file is read, so that all are told at once.
///
/// Used by one thread.
package final class YAMLProblemCollector {
    package let file: String
    package private(set) var problems: [YAMLProblem] = []
    /// More than this are not worth reading.
    private let problemsMax = 200

    init(file: String) { self.file = file }

    func add(line: Int, column: Int, path: String, message: String) {
        guard self.problems.count < self.problemsMax else { return }
        self.problems.append(
            YAMLProblem(file: self.file, line: line, column: column, path: path, message: message)
        )
    }
}
