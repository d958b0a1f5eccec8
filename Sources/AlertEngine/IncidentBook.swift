internal import CampusModel

/// Groups alerts, so that people are called once for one thing: a cause, a room, or a flood.
struct IncidentBook: Sendable {
    /// What holds an incident together.
    enum Place: Hashable, Sendable {
        /// The instance that names the cause.
        case cause(Int)
        case node(NodeID)
        /// More than ten alerts in a minute, from everywhere.
        case flood
    }

    private struct Open: Sendable {
        var place: Place
        var members: Int
        /// The highest priority that somebody was called for.
        var called: AlertPriority?
    }

    /// More than so many activations within ``floodMilliseconds`` are a flood (ISA-18.2: ten in ten minutes for one
    /// person; a school's flood is faster).
    static let floodCount = 10
    static let floodMilliseconds: Int64 = 60_000
    /// A flood is over when nothing was raised for so long.
    static let floodEndMilliseconds: Int64 = 300_000

    private var open: [Int64: Open] = [:]
    private var byPlace: [Place: Int64] = [:]
    private var raises: [Int64] = Array(repeating: .min, count: floodCount)
    private var position = 0
    private var last = Int64.min
    private(set) var isFlood = false
    /// The number of the newest incident.
    var newest: Int64 = 0

    /// Notes that an alert was raised.
    ///
    /// - Returns: Whether a flood begins with it.
    mutating func noteRaise(at tick: Int64) -> Bool {
        if self.isFlood, tick - self.last > Self.floodEndMilliseconds {
            self.isFlood = false
            self.byPlace[.flood] = nil
        }
        let oldest = self.raises[self.position]
        self.raises[self.position] = tick
        self.position = (self.position + 1) % Self.floodCount
        self.last = tick
        guard !self.isFlood, oldest != .min, tick - oldest <= Self.floodMilliseconds else { return false }
        self.isFlood = true
        return true
    }

    /// Whether a cause holds an incident together.
    func isOfCause(_ id: Int64) -> Bool { if case .cause? = self.open[id]?.place { true } else { false } }

    /// The incident of a place, which begins if there is none.
    mutating func join(_ place: Place, at tick: Int64) -> Int64 {
        if let id = self.byPlace[place] {
            self.open[id]?.members += 1
            return id
        }
        self.newest += 1
        self.open[self.newest] = Open(place: place, members: 1)
        self.byPlace[place] = self.newest
        return self.newest
    }

    /// One alert less; an incident without any is over.
    mutating func leave(_ id: Int64) {
        guard var incident = self.open[id] else { return }
        incident.members -= 1
        if incident.members > 0 {
            self.open[id] = incident
        } else {
            self.open[id] = nil
            if self.byPlace[incident.place] == id { self.byPlace[incident.place] = nil }
        }
    }

    /// Takes up an alert of an incident from before a restart.
    ///
    /// - Parameter called: The priority that people were called for; `nil` when nobody was called yet.
    mutating func restore(_ id: Int64, _ place: Place, called: AlertPriority?) {
        self.newest = max(self.newest, id)
        if self.open[id] == nil {
            self.open[id] = Open(place: place, members: 0, called: called)
            if self.byPlace[place] == nil { self.byPlace[place] = id }
        }
        self.open[id]?.members += 1
        guard let called else { return }
        let known = self.open[id]?.called ?? called
        self.open[id]?.called = max(known, called)
    }

    /// Whether people hear of an incident for the first time, or of something more urgent in it.
    mutating func isNews(_ id: Int64, _ priority: AlertPriority) -> Bool {
        guard let incident = self.open[id] else { return true }
        if let called = incident.called, called >= priority { return false }
        self.open[id]?.called = priority
        return true
    }
}
