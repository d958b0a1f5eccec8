package import CampusModel

/// How a value is compared.
package enum Comparison: UInt8, Sendable, Hashable, CaseIterable {
    case above
    case below
    case equal
    case notEqual
    /// Below the first limit or above the second.
    case outside

    /// Whether `value` is beyond the limits; what was beyond has to come back by `deadband` first.
    @inline(__always)
    func holds(_ value: Double, _ limit: Double, _ upper: Double, deadband: Double, held: Bool) -> Bool {
        let band = held ? deadband : 0
        switch self {
        case .above: return value > limit - band
        case .below: return value < limit + band
        case .equal: return value == limit
        case .notEqual: return value != limit
        case .outside: return value < limit + band || value > upper - band
        }
    }
}

/// One signal as a rule reads it: converted into the rule's unit.
package struct RuleInput: Sendable, Hashable {
    /// Its number among the signals of the ``RuleSet``.
    package var signal: Int
    package var conversion: UnitConversion

    package init(signal: Int, conversion: UnitConversion = .identity) {
        self.signal = signal
        self.conversion = conversion
    }
}

/// With what a measure is compared.
package struct Limits: Sendable, Hashable {
    package var comparison: Comparison
    package var limit: Double
    /// The upper limit of ``Comparison/outside``.
    package var upper: Double
    /// Instead of ``limit``, for the timetable states that have one of their own.
    package var byState: [TimetableState: Double]
    package var deadband: Double
    /// Beyond this it is of the severe priority.
    package var severe: Double?

    package init(
        _ comparison: Comparison,
        _ limit: Double,
        upper: Double = 0,
        byState: [TimetableState: Double] = [:],
        deadband: Double = 0,
        severe: Double? = nil
    ) {
        self.comparison = comparison
        self.limit = limit
        self.upper = upper
        self.byState = byState
        self.deadband = deadband
        self.severe = severe
    }
}

/// What makes an alert, with its signals.
///
/// Spans are milliseconds.
package enum AlertCondition: Sendable, Hashable {
    /// Makes one number of several.
    package enum Aggregate: UInt8, Sendable, Hashable, CaseIterable {
        case mean
        case minimum
        case maximum
        case sum
        /// Maximum less minimum.
        case spread
        /// How many are not 0.
        case count
        /// The share of signals that are silent, percent.
        case silent
    }

    /// One part of a join.
    package struct Term: Sendable, Hashable {
        package var inputs: [RuleInput]
        /// Of several inputs all must, not one.
        package var isEvery: Bool
        package var comparison: Comparison
        package var limit: Double
        package var upper: Double
        /// How long it must have held.
        package var held: Int64

        package init(
            inputs: [RuleInput],
            isEvery: Bool = false,
            _ comparison: Comparison,
            _ limit: Double,
            upper: Double = 0,
            held: Int64 = 0
        ) {
            self.inputs = inputs
            self.isEvery = isEvery
            self.comparison = comparison
            self.limit = limit
            self.upper = upper
            self.held = held
        }
    }

    case threshold(RuleInput, Limits)
    /// The slope of a straight line through the last `window`, in units per `per`.
    case rate(RuleInput, Limits, window: Int64, per: Int64)
    /// No change by more than `tolerance` for `span`, while `partner` changed by more than its tolerance.
    case stuck(RuleInput, span: Int64, tolerance: Double, partner: RuleInput?, partnerTolerance: Double)
    /// Nothing usable came from any of them for `span`.
    case missing([RuleInput], span: Int64)
    /// The value is bad, or (with `uncertainToo`) not good, for one of these reasons.
    case quality(RuleInput, reasons: Set<Quality.Reason>, uncertainToo: Bool)
    /// One number of several signals, of which at least `quorum` must be fresh.
    case aggregate([RuleInput], Aggregate, Limits, quorum: Int)
    /// All parts at once.
    case join([Term])
    /// The increase of a counter within the last `window`; a counter that starts anew at 0 goes on counting.
    case counter(RuleInput, Limits, window: Int64)
    /// Hours in which the signal was not 0, until somebody restarts them.
    case runHours(RuleInput, Limits)
    /// How far and how long beyond the limit: unit × minutes since it was last within for the off-delay.
    case excess(RuleInput, over: Double, isBelow: Bool, Limits)
    /// Where it will be within `horizon`: the near edge of the 90 % band of Holt-Winters.
    case forecast(RuleInput, Limits, step: Int64, season: Int, horizon: Int)
    /// How strange it is, in bits.
    case anomaly(RuleInput, Limits)
}

/// One rule on one thing.
package struct RuleInstance: Sendable, Hashable {
    /// Index in the rules of the ``RuleSet``.
    package var rule: Int
    /// What is watched: `device/point`, a device, or a node.
    package var instance: String
    /// Where it is.
    package var node: NodeID
    package var condition: AlertCondition
    /// The states of the timetable in which it counts.
    package var states: Set<TimetableState>
    /// Where a cause reaches: nodes (with everything inside) and buses; empty for what is none.
    package var reach: Set<String>
    /// What it hangs from: its node, the nodes above, its bus.
    package var places: Set<String>

    package init(
        rule: Int,
        instance: String,
        node: NodeID,
        condition: AlertCondition,
        states: Set<TimetableState> = Set(TimetableState.allCases),
        reach: Set<String> = [],
        places: Set<String> = []
    ) {
        self.rule = rule
        self.instance = instance
        self.node = node
        self.condition = condition
        self.states = states
        self.reach = reach
        self.places = places
    }
}

/// Everything that an engine watches.
package struct RuleSet: Sendable, Hashable {
    /// One signal.
    package struct Signal: Sendable, Hashable {
        package var point: PointID
        /// It is silent after so long without a value, milliseconds.
        package var staleAfter: Int64

        package init(point: PointID, staleAfter: Int64) {
            self.point = point
            self.staleAfter = staleAfter
        }
    }

    package var signals: [Signal]
    package var rules: [AlertRule]
    package var instances: [RuleInstance]
    package var hours: SchoolHours

    package init(signals: [Signal], rules: [AlertRule], instances: [RuleInstance], hours: SchoolHours) {
        self.signals = signals
        self.rules = rules
        self.instances = instances
        self.hours = hours
    }
}
