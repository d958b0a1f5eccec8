package import CampusModel

/// The length of the periods that summaries cover.
package enum SummaryPeriod: String, Sendable, Hashable, CaseIterable {
    case hour
    case day

    /// The length; days are 24 hours, because the country has no summer time.
    package var milliseconds: Int64 { self == .hour ? 3_600_000 : 86_400_000 }

    /// The start of the period that holds `tick`, by the site's clock.
    package func start(of tick: Tick, utcOffsetSeconds: Int64) -> Tick {
        let offset = utcOffsetSeconds.multipliedReportingOverflow(by: 1_000).partialValue
        return tick.advanced(byMilliseconds: offset).floored(toMilliseconds: self.milliseconds)
            .advanced(byMilliseconds: -offset)
    }
}

/// The statistics of one point over one hour or day.
package struct PointSummary: Sendable, Hashable {
    package var point: PointID
    /// Where the device was; `nil` lets the records fill in where it is now.
    package var node: NodeID?
    /// The UCUM code; `nil` lets the records fill in the point's present one.
    package var unit: String?
    /// ``Rollup/start`` is the start of the period.
    package var rollup: Rollup

    package init(point: PointID, node: NodeID? = nil, unit: String? = nil, rollup: Rollup) {
        self.point = point
        self.node = node
        self.unit = unit
        self.rollup = rollup
    }
}

/// The statistics of all points of one name and unit in one node (and everything inside it) over one hour or day.
package struct NodeSummary: Sendable, Hashable {
    package var node: NodeID
    /// The point's name, `temperature`.
    package var name: String
    package var unit: String
    /// How many devices took part.
    package var deviceCount: Int
    package var rollup: Rollup

    package init(node: NodeID, name: String, unit: String, deviceCount: Int, rollup: Rollup) {
        self.node = node
        self.name = name
        self.unit = unit
        self.deviceCount = deviceCount
        self.rollup = rollup
    }
}
