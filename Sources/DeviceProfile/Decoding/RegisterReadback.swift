internal import CampusModel

/// How one point is read by itself, to see what a written control did.
package struct RegisterReadback: Sendable {
    package let read: RegisterRead
    private let source: RegisterSource
    private let rule: ValueRule

    /// `nil` for a point that is no register or that other points are needed for (a decimal exponent, a factor, a
    /// condition): such a one is known when it is polled.
    package init?(profile: DeviceProfile, point index: Int) {
        guard profile.points.indices.contains(index), case .register(let source) = profile.points[index].source,
            !source.type.isText
        else { return nil }
        let point = profile.points[index]
        guard point.scale.exponentFrom == nil, point.scale.multiplyFrom == nil, point.validities.isEmpty else {
            return nil
        }
        self.source = source
        self.rule = ValueRule(point)
        self.read = RegisterRead(
            table: source.table,
            address: source.address,
            count: UInt16(clamping: source.addressCount)
        )
    }

    /// The point's value in the words of ``read``; `nil` when they hold no usable one.
    package func value(in words: [UInt16]) -> Double? {
        guard let raw = words.withUnsafeBufferPointer({ self.source.raw(in: $0, at: 0) }) else { return nil }
        let (value, quality) = self.rule.judged(raw: raw)
        return quality.level == .bad ? nil : value
    }
}
