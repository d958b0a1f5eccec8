import Foundation

/// The recording read by the test itself: time text as the API writes it, and values by column.
struct RecordingTruth {
    var columns: [String]
    /// `nil` where the file has no value.
    var rows: [(at: String, values: [Double?])]

    init(_ path: String) throws {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
        self.columns = Array(lines[0].split(separator: ",").map(String.init).dropFirst(2))
        self.rows = lines.dropFirst()
            .map { line in
                let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let time = fields[1].count == 7 ? "0\(fields[1])" : fields[1]
                return ("\(fields[0])T\(time).000Z", fields.dropFirst(2).map { Double($0) })
            }
    }

    /// The profile's name of a column.
    static func point(_ column: String) -> String {
        column == "Room_Occupancy_Count"
            ? "occupancy"
            : column.lowercased().replacingOccurrences(of: "_", with: "-")
                .replacingOccurrences(of: "-temp", with: "-temperature")
    }
}
