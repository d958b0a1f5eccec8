package import CampusModel

/// What a receiver is told about a series besides its samples.
package struct SeriesIdentity: Sendable, Hashable {
    package var site: String
    /// Empty when the device is not in a room.
    package var room: String
    package var device: String
    package var point: String
    /// UCUM code.
    package var unit: String

    package init(site: String, room: String, device: String, point: String, unit: String) {
        self.site = site
        self.room = room
        self.device = device
        self.point = point
        self.unit = unit
    }
}

/// The store that exporters read from: series by dense number, samples by tick.
package protocol SampleSource: Sendable {
    /// Series are numbered from 0; a number never changes its series while the process runs.
    var seriesCount: Int { get }

    /// The name of a series, the same after every restart.
    func name(of series: Int) -> String

    /// What is told about a series; `nil` while it is not to be exported (its device is not configured).
    func identity(of series: Int) -> SeriesIdentity?

    /// The tick of the newest sample; `nil` when there is none.
    func newestTick(of series: Int) -> Tick?

    /// Appends the samples newer than `tick`, oldest first, to `samples`.
    ///
    /// Ends after `limit` samples, but never between two samples of one tick.
    func read(_ series: Int, after tick: Tick, limit: Int, into samples: inout [Sample])

    /// The 1-minute roll-ups that start after `tick` and before `end`, oldest first.
    func minutes(_ series: Int, after tick: Tick, before end: Tick) -> [Rollup]
}
