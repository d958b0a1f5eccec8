internal import DeviceProfile

extension Recording {
    /// The point of a profile that each column is played as.
    ///
    /// Columns that `mapping` does not name go to the point whose JSON pointer ends in the column's name, or that is
    /// called like it (in lower case, `-` for `_`); other columns are left out.
    ///
    /// - Throws: ``SimulatorError`` when `mapping` names a point that is not there, or no column has a point.
    func points(
        of profile: DeviceProfile,
        mapping: [String: String],
        timeColumns: [String],
        file: String
    ) throws(SimulatorError) -> [(column: String, point: Int)] {
        var points: [(column: String, point: Int)] = []
        for column in self.columns where !timeColumns.contains(column) {
            if let name = mapping[column] {
                guard let index = profile.pointIndex(named: name) else {
                    throw SimulatorError("column '\(column)': profile '\(profile.id)' has no point called '\(name)'")
                }
                points.append((column, index))
            } else if let index = profile.points.firstIndex(where: { point in
                guard case .payload(let places) = point.source else { return false }
                return places.contains { $0.pointer?.tokens.last == column }
            }) {
                points.append((column, index))
            } else if let index = profile.pointIndex(named: column.lowercased().replacing("_", with: "-")) {
                points.append((column, index))
            }
        }
        guard !points.isEmpty else {
            throw SimulatorError("no column of \(file) belongs to a point; use --map COLUMN=POINT")
        }
        return points
    }
}
