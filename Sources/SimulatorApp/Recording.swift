package import CampusModel
internal import Foundation

/// A CSV recording: columns by name, and the time of each row.
package struct Recording: Sendable {
    /// One row.
    package struct Row: Sendable {
        package var tick: Tick
        /// Values by column; a column that is no number in this row is absent.
        package var values: [String: Double]
    }

    package let columns: [String]
    package let rows: [Row]

    /// Reads a recording whose first line names the columns.
    ///
    /// - Parameters:
    ///   - text: The whole file.
    ///   - file: Its name, for messages.
    ///   - timeColumns: The column of the time, or of date and time; `YYYY-MM-DD HH:MM:SS`, read as UTC.
    /// - Throws: ``SimulatorError`` with file, line and column.
    package init(text: String, file: String, timeColumns: [String]) throws(SimulatorError) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let header = lines.first else { throw SimulatorError("\(file): the file is empty") }
        let columns = Self.fields(header)
        self.columns = columns
        let timeIndices = timeColumns.compactMap { columns.firstIndex(of: $0) }
        guard timeIndices.count == timeColumns.count, !timeIndices.isEmpty else {
            throw SimulatorError(
                "\(file): no column called '\(timeColumns.joined(separator: "' or '"))'; there are \(columns.joined(separator: ", "))"
            )
        }
        var rows: [Row] = []
        rows.reserveCapacity(lines.count)
        for (number, line) in lines.dropFirst().enumerated() {
            var fields = Self.fields(line)
            // Files written by R have an unnamed row number in front.
            if fields.count == columns.count + 1 { fields.removeFirst() }
            guard fields.count == columns.count else {
                throw SimulatorError("\(file):\(number + 2): \(fields.count) fields, \(columns.count) expected")
            }
            guard let tick = Self.tick(timeIndices.map { fields[$0] }) else {
                throw SimulatorError(
                    "\(file):\(number + 2): '\(timeIndices.map { fields[$0] }.joined(separator: " "))' is no time"
                )
            }
            var values: [String: Double] = [:]
            for (index, column) in columns.enumerated() where !timeIndices.contains(index) {
                if let value = Double(fields[index]), value.isFinite { values[column] = value }
            }
            rows.append(Row(tick: tick, values: values))
        }
        self.rows = rows
    }

    private static func fields(_ line: Substring) -> [String] {
        line.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "\" \r\u{FEFF}")) }
    }

    /// Hours may have one digit: `9:00:09`.
    private static func tick(_ parts: [String]) -> Tick? {
        let words = parts.joined(separator: " ").split(separator: " ").map(String.init)
        guard words.count == 2 else { return UTCText.tick(rfc3339: words.joined(), zonelessOffsetSeconds: 0) }
        let time =
            words[1].firstIndex(of: ":") == words[1].index(after: words[1].startIndex) ? "0" + words[1] : words[1]
        return UTCText.tick(rfc3339: "\(words[0]) \(time)", zonelessOffsetSeconds: 0)
    }
}
