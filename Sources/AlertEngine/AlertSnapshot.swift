package import CampusModel

/// What of one alert has to outlive a restart.
package struct AlertSnapshot: Sendable, Hashable, Codable {
    package var memory: AlertMemory
    /// Whether the condition held when this was taken; `nil` when nothing was known.
    package var holds: Bool?
    /// Since when.
    package var since: Int64
    package var isSevere: Bool
    package var severeSince: Int64
    /// What counters, run hours and sums over time have gathered; `nil` where a number is none.
    package var numbers: [Double?]
    package var actor: String?
    package var second: String?
    package var text: String?
}

extension AlertEngine {
    /// What of an instance has to outlive a restart.
    package func snapshot(_ index: Int) -> AlertSnapshot {
        let cell = self.cells[index]
        let remark = self.remarks[index]
        let isGathering = cell.kind == .counter || cell.kind == .runHours || cell.kind == .excess
        let range = Int(cell.memory)..<Int(cell.memory + cell.memoryCount)
        return AlertSnapshot(
            memory: self.alerts[index],
            holds: cell.truth == .unknown ? nil : cell.truth == .yes,
            since: cell.since,
            isSevere: cell.isSevere,
            severeSince: cell.severeSince,
            numbers: isGathering ? range.map { self.memory[$0].isFinite ? self.memory[$0] : nil } : [],
            actor: remark?.actor,
            second: remark?.second,
            text: remark?.text
        )
    }

    /// Instances whose numbers grow without anything happening to their alert.
    package var gathering: [Int] {
        self.cells.indices.filter {
            self.cells[$0].kind == .counter || self.cells[$0].kind == .runHours || self.cells[$0].kind == .excess
        }
    }

    /// Takes up what was remembered: alerts go on as they were, without being raised again.
    ///
    /// What an engine has learnt of conditions since it was made is kept; what it does not know yet comes from the
    /// snapshots.
    ///
    /// - Parameters:
    ///   - newestIncident: The number of the newest incident that ever was.
    ///   - sequence: The number of the last transition that was ever made.
    package mutating func restore(
        _ snapshots: [(key: AlertKey, snapshot: AlertSnapshot)],
        sequence: Int64,
        newestIncident: Int64
    ) {
        self.transitions.removeAll(keepingCapacity: true)
        self.sequence = sequence
        self.alerts = Array(repeating: AlertMemory(), count: self.alerts.count)
        self.incidents = IncidentBook()
        self.incidents.newest = newestIncident
        self.remarks = [:]
        self.counters = AlertCounters()
        for (key, snapshot) in snapshots.sorted(by: { $0.key < $1.key }) {
            guard let index = self.indexOfKey[key] else { continue }
            self.restore(index, snapshot)
        }
        self.restoreCauses()
        for index in self.alerts.indices {
            let alert = self.alerts[index]
            if alert.incident != 0 {
                let called = alert.isAnnunciated ? self.priority(index) : nil
                self.incidents.restore(alert.incident, self.placeOfIncident(index), called: called)
            }
        }
        // What was due while nobody looked is due now.
        for index in self.alerts.indices {
            self.lookAtDelays(index)
            self.arm(index, withOverdue: true)
        }
    }

    private mutating func restore(_ index: Int, _ snapshot: AlertSnapshot) {
        self.alerts[index] = snapshot.memory
        self.alerts[index].suppressionCount = 0
        if self.cells[index].truth == .unknown, let holds = snapshot.holds {
            self.cells[index].truth = holds ? .yes : .no
            self.cells[index].since = snapshot.since
            self.cells[index].isSevere = snapshot.isSevere
            self.cells[index].severeSince = snapshot.severeSince
        }
        if snapshot.numbers.count == Int(self.cells[index].memoryCount), !snapshot.numbers.isEmpty {
            for (offset, number) in snapshot.numbers.enumerated() {
                self.memory[Int(self.cells[index].memory) + offset] = number ?? .nan
            }
        }
        if let actor = snapshot.actor {
            self.remarks[index] = AlertRemark(actor: actor, second: snapshot.second, text: snapshot.text)
        }
    }

    private mutating func restoreCauses() {
        for cause in self.dependents.keys.sorted() where self.alerts[cause].isActive {
            for dependent in self.dependents[cause] ?? [] { self.alerts[Int(dependent)].suppressionCount += 1 }
        }
    }

    private func placeOfIncident(_ index: Int) -> IncidentBook.Place {
        if self.rule(index).cause != nil { return .cause(index) }
        let incident = self.alerts[index].incident
        let cause = self.dependents.keys.sorted()
            .first { self.alerts[$0].incident == incident && self.alerts[$0].isActive }
        return cause.map { .cause($0) } ?? .node(self.set.instances[index].node)
    }

    /// The number of the newest incident.
    package var newestIncident: Int64 { self.incidents.newest }

    /// Says that an alert whose rule or point is not watched any more has ended.
    package mutating func retire(_ key: AlertKey, _ snapshot: AlertSnapshot, node: NodeID) {
        guard self.indexOfKey[key] == nil, snapshot.memory.state != .normal else { return }
        self.sequence &+= 1
        self.transitions.append(
            AlertTransition(
                sequence: self.sequence,
                tick: self.now,
                key: key,
                kind: .retired,
                activation: snapshot.memory.activation,
                state: .normal,
                isActive: false,
                isAcknowledged: true,
                priority: .low,
                isLifeSafety: false,
                node: node,
                incident: snapshot.memory.incident,
                value: nil,
                limit: nil,
                timetable: self.timetable,
                actor: "engine",
                note: nil,
                until: nil
            )
        )
    }

    /// What an instance compares now, in words of numbers.
    package func reading(_ index: Int) -> AlertReading {
        let cell = self.cells[index]
        let row = cell.limitRow
        let range = Int(cell.firstInput)..<Int(cell.firstInput + cell.inputCount)
        return AlertReading(
            measure: cell.measure.isFinite ? cell.measure : nil,
            limit: row < 0 ? cell.limit : self.limitRows[Int(row) + Int(self.timetable.rawValue)],
            upper: cell.comparison == .outside ? cell.upper : nil,
            severe: cell.hasSevere ? cell.severe : nil,
            holds: cell.truth == .unknown ? nil : cell.truth == .yes,
            since: cell.truth == .unknown ? nil : Tick(rawValue: cell.since),
            isFresh: range.contains { self.signals[Int(self.inputs[$0].signal)].isFresh(at: self.now.rawValue) },
            points: range.prefix(8).map { self.set.signals[Int(self.inputs[$0].signal)].point },
            values: range.prefix(8)
                .map {
                    let signal = self.signals[Int(self.inputs[$0].signal)]
                    return signal.tick == 0 || signal.quality.level == .bad ? nil : signal.value
                }
        )
    }
}

/// What an alert compares now.
package struct AlertReading: Sendable, Hashable {
    /// In the rule's unit; `nil` when there is none yet.
    package var measure: Double?
    package var limit: Double
    package var upper: Double?
    package var severe: Double?
    package var holds: Bool?
    package var since: Tick?
    package var isFresh: Bool
    /// The first eight points it reads, and their values in their own units.
    package var points: [PointID]
    package var values: [Double?]
}
