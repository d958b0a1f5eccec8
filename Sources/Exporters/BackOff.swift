internal import CampusModel

/// When to try again: twice as late each time, with jitter, so that a school full of gateways does not come at once.
struct BackOff: Sendable {
    private let initial: Int64
    private let maximum: Int64
    private var current: Int64 = 0
    private var until = Tick(rawValue: 0)

    init(_ options: ExporterOptions) {
        self.initial = options.backoffInitialMilliseconds
        self.maximum = options.backoffMaxMilliseconds
    }

    mutating func reset() {
        self.current = 0
        self.until = Tick(rawValue: 0)
    }

    /// A refusal is not asked about often: somebody has to change something.
    mutating func fail(at now: Tick, isRefusal: Bool) {
        self.current = self.current == 0 ? self.initial : min(self.current * 2, self.maximum)
        let longest = isRefusal ? max(self.current, self.maximum) : self.current
        self.until = now.advanced(byMilliseconds: Int64.random(in: longest / 2...max(longest, 1)))
    }

    /// Milliseconds until the next try.
    func remaining(_ now: Tick) -> Int64 { max(0, self.until.rawValue - now.rawValue) }
}
