internal import SiteConfiguration

/// When the ring is committed: at the interval of the strictest class of which something is new.
struct CommitSchedule {
    let interval: GatewayConfiguration.Commit
    /// When the last commit began, seconds.
    private var last = 0

    init(interval: GatewayConfiguration.Commit) { self.interval = interval }

    /// Whether a commit is due in this second; if so, it is taken to begin.
    ///
    /// - Parameter hasUrgent: whether there are new samples of a class above telemetry.
    mutating func isDue(second: Int, hasUrgent: Bool) -> Bool {
        let patience = hasUrgent ? self.interval.importantSeconds : self.interval.telemetrySeconds
        guard second - self.last >= patience else { return false }
        self.last = second
        return true
    }
}
