package import CampusModel

/// Watches every rule on every signal, and keeps the states of alerts.
///
/// A value: samples, instants and commands go in through ``accept(_:now:)``, ``advance(to:)`` and
/// ``perform(_:on:by:now:)``; what happened is taken out with ``takeTransitions()``. The same inputs in the same order
/// give the same transitions. Nothing is allocated for a sample that changes no alert.
package struct AlertEngine: Sendable {
    /// How long a call waits for a cause to show itself, milliseconds; life-safety and critical alerts do not wait.
    package static let groupingMilliseconds: Int64 = 5_000
    /// A pause longer than this is not lived through second by second, milliseconds.
    static let leapMilliseconds: Int64 = 600_000

    package let set: RuleSet
    /// The engine's present.
    package internal(set) var now: Tick
    /// Counts of what was taken and left.
    package internal(set) var counters = AlertCounters()
    package internal(set) var timetable: TimetableState

    var signals: [SignalState]
    /// Where the cells of a signal start in ``readers``.
    let readerStarts: [Int32]
    let readers: [Int32]
    var cells: [RuleCell]
    var inputs: [CellInput]
    var terms: [JoinTerm]
    /// Numbers of the kinds that need more than one.
    var memory: [Double]
    /// Rows of limits, one number a timetable state.
    let limitRows: [Double]
    var alerts: [AlertMemory]
    var timers: TimerBlocks
    var incidents = IncidentBook()
    /// What follows from an instance that is a cause.
    let dependents: [Int: [Int32]]
    /// Words about alerts that are set aside or known.
    var remarks: [Int: AlertRemark] = [:]
    var transitions: [AlertTransition] = []
    /// The number of the last transition.
    package internal(set) var sequence: Int64
    let indexOfKey: [AlertKey: Int]
    /// Real time less the axis of ticks, milliseconds.
    var clockCorrection: Int64 = 0

    /// Makes an engine in which nothing is known yet.
    ///
    /// - Parameter sequence: The number of the last transition that was ever made at this site.
    package init(_ set: RuleSet, at now: Tick, sequence: Int64 = 0) {
        let compiled = RuleCompiler(set)
        self.set = set
        self.now = now
        self.signals = set.signals.map { SignalState(staleAfter: $0.staleAfter) }
        self.readerStarts = compiled.readerStarts
        self.readers = compiled.readers
        self.cells = compiled.cells
        self.inputs = compiled.inputs
        self.terms = compiled.terms
        self.memory = compiled.memory
        self.limitRows = compiled.limitRows
        self.dependents = compiled.dependents
        self.alerts = Array(repeating: AlertMemory(), count: set.instances.count)
        self.timers = TimerBlocks(count: set.instances.count)
        self.timetable = set.hours.state(at: now)
        self.sequence = sequence
        self.indexOfKey = Dictionary(
            set.instances.enumerated().map { (AlertKey(rule: set.rules[$1.rule].id, instance: $1.instance), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.startClocks()
    }

    /// What is silent from the beginning is silent from now.
    mutating func startClocks() {
        for index in self.cells.indices {
            switch self.cells[index].kind {
            case .missing: self.cells[index].wake = self.now.rawValue + self.cells[index].span
            case .aggregate where self.cells[index].aggregate == .silent:
                self.cells[index].wake = self.now.rawValue + self.cells[index].span
            case .join: self.cells[index].wake = self.now.rawValue
            default: continue
            }
            self.arm(index)
        }
        for index in self.signals.indices { self.signals[index].usable = self.now.rawValue }
    }

    /// The key of an instance.
    package func key(_ index: Int) -> AlertKey {
        let instance = self.set.instances[index]
        return AlertKey(rule: self.set.rules[instance.rule].id, instance: instance.instance)
    }

    /// The index of an instance; `nil` when there is none.
    package func index(of key: AlertKey) -> Int? { self.indexOfKey[key] }

    /// The memories of an instance.
    package func memory(_ index: Int) -> AlertMemory { self.alerts[index] }

    /// What was said about an instance by the person who did something about it last.
    package func remark(_ index: Int) -> AlertRemark? { self.remarks[index] }

    /// The rule of an instance.
    package func rule(_ index: Int) -> AlertRule { self.set.rules[self.set.instances[index].rule] }

    /// Its priority now: the severe one beyond the severe limit.
    package func priority(_ index: Int) -> AlertPriority {
        let rule = self.rule(index)
        return self.alerts[index].isSevere ? rule.severePriority : rule.priority
    }

    /// Instances that are not normal, in no order.
    package var attention: [Int] { self.alerts.indices.filter { self.alerts[$0].state != .normal } }

    /// Takes what happened since it was taken last, in order.
    package mutating func takeTransitions() -> [AlertTransition] {
        let taken = self.transitions
        self.transitions.removeAll(keepingCapacity: true)
        return taken
    }

    /// Says what the real time is, as real time less the axis of ticks.
    package mutating func setClock(correctionMilliseconds: Int64, now: Tick) {
        self.clockCorrection = correctionMilliseconds
        self.advance(to: now)
        self.lookAtTimetable()
    }

    /// Lets time pass: what waited for it happens, in the order of its instants.
    package mutating func advance(to tick: Tick) {
        guard tick > self.now else { return }
        // After a long pause (a board that slept) everything is looked at once.
        if tick.rawValue - self.now.rawValue > Self.leapMilliseconds { self.now = tick }
        while let due = self.timers.next(until: tick.rawValue) {
            if due.tick > self.now.rawValue {
                self.now = Tick(rawValue: due.tick)
                self.lookAtTimetable()
            }
            self.fire(due.index)
        }
        self.now = tick
        self.lookAtTimetable()
    }

    /// Takes samples that arrived together, after letting time pass until `now`.
    ///
    /// A sample from the future counts as of now; one older than the newest of its signal is history and not looked at.
    package mutating func accept(_ samples: some Sequence<(signal: Int, sample: Sample)>, now: Tick) {
        self.advance(to: now)
        for (signal, sample) in samples { self.accept(signal, sample) }
    }

    /// Takes one sample; time has passed already.
    @inline(__always)
    package mutating func accept(_ signal: Int, _ sample: Sample) {
        let tick = min(sample.tick.rawValue, self.now.rawValue)
        guard tick >= self.signals[signal].tick else {
            self.counters.late &+= 1
            return
        }
        self.counters.samples &+= 1
        let isUsable = sample.quality.level != .bad
        self.signals[signal].tick = tick
        self.signals[signal].quality = sample.quality
        if isUsable {
            self.signals[signal].value = sample.value
            self.signals[signal].usable = tick
        }
        let end = Int(self.readerStarts[signal + 1])
        var reader = Int(self.readerStarts[signal])
        while reader < end {
            self.take(Int(self.readers[reader]), signal, tick: tick, isUsable: isUsable)
            reader += 1
        }
    }

    /// Takes up the state of the timetable when it changed.
    mutating func lookAtTimetable() {
        let real = self.now.rawValue + self.clockCorrection
        guard real / 60_000 != self.timetableMinute else { return }
        self.timetableMinute = real / 60_000
        let state = self.set.hours.state(at: Tick(rawValue: real))
        guard state != self.timetable else { return }
        self.timetable = state
        for index in self.cells.indices where self.cells[index].isGated { self.timetableChanged(index) }
    }

    /// The minute whose state is known.
    private var timetableMinute: Int64 = .min
}

/// What an engine has counted since it was made.
package struct AlertCounters: Sendable, Hashable {
    package var samples: UInt64 = 0
    /// Samples older than the newest of their signal.
    package var late: UInt64 = 0
    package var evaluations: UInt64 = 0
    package var raised: UInt64 = 0
    package var annunciated: UInt64 = 0
}

/// What a person said about an alert.
package struct AlertRemark: Sendable, Hashable {
    package var actor: String
    package var second: String?
    package var text: String?

    package init(actor: String, second: String? = nil, text: String? = nil) {
        self.actor = actor
        self.second = second
        self.text = text
    }
}
