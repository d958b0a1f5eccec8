internal import CampusModel

/// One rule instance, compiled: what is read at every sample lies together.
struct RuleCell: Sendable {
    /// What it computes.
    enum Kind: UInt8, Sendable {
        case threshold
        case rate
        case stuck
        case missing
        case quality
        case aggregate
        case join
        case counter
        case runHours
        case excess
        case forecast
        case anomaly
    }

    /// What is known of the condition.
    enum Truth: UInt8, Sendable {
        case no
        case yes
        case unknown
    }

    var kind: Kind
    var comparison = Comparison.above
    var aggregate = AlertCondition.Aggregate.mean
    /// A bit for each timetable state in which it counts.
    var gate: UInt8
    var truth = Truth.unknown
    var isSevere = false
    var hasSevere = false
    /// Whether the time-driven part of it is looked at when the timetable changes.
    var isGated: Bool
    var rule: Int32
    var firstInput: Int32 = 0
    var inputCount: Int32 = 0
    var firstTerm: Int32 = 0
    var termCount: Int32 = 0
    /// Where its numbers are in the engine's memory.
    var memory: Int32 = 0
    var memoryCount: Int32 = 0
    /// Row of limits by timetable state; -1 where there is one limit only.
    var limitRow: Int32 = -1
    var limit = 0.0
    var upper = 0.0
    var severe = 0.0
    var deadband = 0.0
    /// A number of the kind: tolerance, quorum, per.
    var parameter = 0.0
    var secondParameter = 0.0
    /// A span of the kind, milliseconds.
    var span: Int64 = 0
    var onDelay: Int64
    var offDelay: Int64
    /// Since when ``truth`` is what it is.
    var since: Int64 = 0
    var severeSince: Int64 = 0
    /// What was compared last; not a number before that.
    var measure = Double.nan
    /// When the kind itself wants to be asked again; never = `Int64.max`.
    var wake = Int64.max
}

/// One part of a join, compiled.
struct JoinTerm: Sendable {
    var firstInput: Int32
    var inputCount: Int32
    var isEvery: Bool
    var comparison: Comparison
    var limit: Double
    var upper: Double
    var held: Int64
    var truth = RuleCell.Truth.unknown
    var since: Int64 = 0
}

/// One input, compiled.
struct CellInput: Sendable {
    var signal: Int32
    var factor: Double
    var offset: Double
}

/// The newest of one signal.
struct SignalState: Sendable {
    var value = 0.0
    /// 0 before the first.
    var tick: Int64 = 0
    /// When something that is not bad came last; 0 before the first.
    var usable: Int64 = 0
    var quality = Quality.bad(.communication)
    var staleAfter: Int64

    /// Whether it may be believed at `now`.
    func isFresh(at now: Int64) -> Bool {
        self.quality.level != .bad && self.tick != 0 && now - self.tick <= self.staleAfter
    }
}
