/// How soon a sample must outlive a power cut; all outlive a killed process at once.
///
/// Ordered: a stricter class is greater.
package enum Durability: String, Sendable, CaseIterable, Comparable {
    /// At the usual interval of commits.
    case telemetry
    /// At a shorter one.
    case important
    /// At once: whoever delivered it is told only then that it has arrived.
    case critical

    package static func < (left: Durability, right: Durability) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .telemetry: 0
        case .important: 1
        case .critical: 2
        }
    }
}
