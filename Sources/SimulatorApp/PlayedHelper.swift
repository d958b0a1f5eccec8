internal import CampusModel
internal import DeviceProfile

extension DeviceProfile {
    /// What a point that others depend on is played as, so that they count: a status that is as they ask, a heartbeat
    /// that beats, a ratio of 1.
    ///
    /// `nil` for points on which none depends.
    func playedHelper(_ index: Int, at tick: Tick) -> Double? {
        for point in self.points {
            if point.scale.multiplyFrom == index { return 1 }
            for validity in point.validities where validity.point == index {
                switch validity.test {
                case .oneOf(let values): return values.first
                case .noneOf(let values):
                    let listed = self.points[index].enumeration.map(\.value)
                    return (listed + [0, 1, 2]).first { !values.contains($0) }
                case .changesWithin: return Double(tick.rawValue / 1_000 % 2)
                }
            }
        }
        return nil
    }
}
