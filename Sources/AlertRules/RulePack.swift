package import AlertEngine
package import CampusModel

/// One file of rules.
package struct RulePack: Sendable {
    /// Where a limit comes from.
    package struct Source: Sendable, Hashable {
        /// How far a limit may be relied on.
        package enum Status: String, Sendable, Hashable, CaseIterable {
            /// Good enough to look; a sensor of this class cannot prove a breach.
            case indicative
            /// To be judged with calibrated instruments.
            case calibrated
        }

        package var id: String
        package var title: String
        package var status: Status
    }

    /// A limit with its source.
    package struct CitedLimit: Sendable, Hashable {
        package var value: Double
        package var unit: String
        package var source: String
        package var note: String?
    }

    package var id: String
    package var title: LocalizedText
    package var sources: [Source]
    package var limits: [String: CitedLimit]
    package var rules: [RuleTemplate]
    /// The file, for messages.
    package var file: String
}

/// A rule before it is laid on a site.
package struct RuleTemplate: Sendable {
    /// What there is one alert for.
    package enum Scope: String, Sendable, Hashable, CaseIterable {
        case point
        case device
        case room
        case building
        case site
        case bus
    }

    /// How far a cause reaches.
    package enum Reach: String, Sendable, Hashable, CaseIterable {
        /// Its own room or node, with everything inside.
        case node
        case building
        case site
        /// The devices of its bus.
        case bus
    }

    /// Which points are meant; an empty list is no condition.
    package struct Selection: Sendable, Hashable {
        package var points: [String] = []
        package var rooms: [String] = []
        package var categories: [String] = []
        package var profiles: [String] = []
        package var devices: [String] = []
        package var nodes: [String] = []
        package var buses: [String] = []

        package init() {}
    }

    /// One part of a join.
    package struct Term: Sendable {
        package var selection: Selection
        package var isEvery: Bool
        package var comparison: Comparison
        package var limit: Double
        package var upper: Double
        package var held: Int64
        package var unit: String?
    }

    /// The condition, without its points.
    package enum Condition: Sendable {
        case threshold(Limits)
        case rate(Limits, window: Int64, per: Int64)
        case stuck(span: Int64, tolerance: Double, partner: String?, partnerTolerance: Double)
        /// `nil`: three times what is usual for the point.
        case missing(span: Int64?)
        case quality(reasons: Set<Quality.Reason>, uncertainToo: Bool)
        case aggregate(AlertCondition.Aggregate, Limits, quorum: Int)
        case join([Term])
        case counter(Limits, window: Int64)
        case runHours(Limits)
        case excess(over: Double, isBelow: Bool, Limits)
        case forecast(Limits, step: Int64, season: Int, horizon: Int)
        case anomaly(Limits)

        /// The key in files.
        package var word: String {
            switch self {
            case .threshold: "threshold"
            case .rate: "rate"
            case .stuck: "stuck"
            case .missing: "missing"
            case .quality: "quality"
            case .aggregate: "aggregate"
            case .join: "all"
            case .counter: "counter"
            case .runHours: "runHours"
            case .excess: "excess"
            case .forecast: "forecast"
            case .anomaly: "anomaly"
            }
        }
    }

    package var rule: AlertRule
    package var watch: Selection
    package var scope: Scope
    package var reach: Reach
    package var states: Set<TimetableState>
    package var condition: Condition
    /// UCUM code of limits; `nil` for those that compare no quantity.
    package var unit: String?
    /// Sources of the limits it uses, by identifier.
    package var sources: [String]
    /// The line in the file, for messages.
    package var line: Int
}
