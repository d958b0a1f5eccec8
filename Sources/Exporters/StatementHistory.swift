internal import CampusModel
internal import Foundation
internal import Synchronization

/// The last statements of an exporter, in a file of one line each, so that a restart does not forget them.
package final class StatementHistory: Sendable {
    /// Statements that are kept.
    package static let limit = 20

    private let path: String?
    private let kept: Mutex<[LossStatement]>

    /// - Parameter path: The file; `nil` keeps them in memory only.
    package init(path: String?) {
        self.path = path
        let text = path.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) } ?? ""
        self.kept = Mutex(text.split(separator: "\n").compactMap { Self.statement(String($0)) }.suffix(Self.limit))
    }

    /// The newest first.
    package var statements: [LossStatement] { self.kept.withLock { $0.reversed() } }

    func add(_ statement: LossStatement) {
        let lines = self.kept.withLock { kept in
            kept = Array((kept + [statement]).suffix(Self.limit))
            return kept.map(Self.line).joined()
        }
        guard let path else { return }
        // A statement that cannot be written is in the log and in memory.
        try? lines.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func line(_ statement: LossStatement) -> String {
        "\(statement.from.rawValue) \(statement.to.rawValue) \(statement.lost) \(statement.replayed) "
            + "\(statement.duplicates)\n"
    }

    private static func statement(_ line: String) -> LossStatement? {
        let numbers = line.split(separator: " ").compactMap { Int64($0) }
        guard numbers.count == 5, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        var statement = LossStatement(from: Tick(rawValue: numbers[0]), to: Tick(rawValue: numbers[1]))
        statement.lost = UInt64(numbers[2])
        statement.replayed = UInt64(numbers[3])
        statement.duplicates = UInt64(numbers[4])
        return statement
    }
}
