internal import CampusModel

extension AlertEngine {
    /// Sets when an instance is looked at next: the earliest of everything that waits for time.
    ///
    /// - Parameter withOverdue: What was due before now is due in a millisecond; else it has been looked at already.
    mutating func arm(_ index: Int, withOverdue: Bool = false) {
        let now = self.now.rawValue
        let cell = self.cells[index]
        let alert = self.alerts[index]
        let rule = self.set.rules[Int(cell.rule)]
        var due = cell.wake > now ? cell.wake : Int64.max
        func consider(_ tick: Int64) {
            let tick = withOverdue ? max(tick, now + 1) : tick
            if tick > now, tick < due { due = tick }
        }
        switch cell.truth {
        case .yes:
            if !alert.isActive { consider(cell.since + cell.onDelay) }
            if cell.hasSevere, cell.isSevere, !alert.isSevere { consider(cell.severeSince + cell.onDelay) }
            if cell.hasSevere, !cell.isSevere, alert.isSevere { consider(cell.severeSince + cell.offDelay) }
            if alert.isFlapping { consider(cell.since + rule.flapWindow) }
        case .no: if alert.isActive { consider(cell.since + self.holdMilliseconds(cell, alert, rule)) }
        case .unknown: break
        }
        if alert.shelvedUntil != 0 { consider(alert.shelvedUntil) }
        if alert.annunciateAt != 0 { consider(alert.annunciateAt) }
        if rule.realarm > 0, alert.isActive, alert.isAcknowledged, !alert.isSetAside {
            consider(max(alert.acknowledged, alert.raised) + rule.realarm)
        }
        if due != self.timers[index] { self.timers.set(index, due) }
    }

    /// How long the condition must be over: longer while it flaps.
    private func holdMilliseconds(_ cell: RuleCell, _ alert: AlertMemory, _ rule: AlertRule) -> Int64 {
        alert.isFlapping ? max(cell.offDelay, rule.flapWindow) : cell.offDelay
    }

    /// Something that an instance waited for is due.
    mutating func fire(_ index: Int) {
        let now = self.now.rawValue
        if self.cells[index].wake <= now {
            self.cells[index].wake = .max
            self.wakeUp(index)
        }
        let rule = self.rule(index)
        if self.alerts[index].shelvedUntil != 0, self.alerts[index].shelvedUntil <= now {
            self.endShelf(index, actor: "engine", note: nil)
        }
        self.lookAtDelays(index)
        let alert = self.alerts[index]
        if rule.realarm > 0, alert.isActive, alert.isAcknowledged, !alert.isSetAside,
            now - max(alert.acknowledged, alert.raised) >= rule.realarm
        {
            self.alerts[index].realarm()
            self.record(.realarmed, index)
            self.call(index)
        }
        if self.alerts[index].annunciateAt != 0, self.alerts[index].annunciateAt <= now { self.annunciate(index) }
        self.arm(index)
    }

    /// Raises and clears what has held and been over for long enough.
    ///
    /// What is not heard of any more is neither raised nor cleared: silence is not news.
    mutating func lookAtDelays(_ index: Int) {
        let now = self.now.rawValue
        let cell = self.cells[index]
        let alert = self.alerts[index]
        let rule = self.set.rules[Int(cell.rule)]
        switch cell.truth {
        case .yes:
            if !alert.isActive {
                guard now - cell.since >= cell.onDelay, self.isFresh(index) else { return }
                self.raise(index)
            } else if alert.isFlapping, now - cell.since >= rule.flapWindow {
                self.alerts[index].isFlapping = false
                self.record(.settled, index)
            }
            self.lookAtSeverity(index)
        case .no:
            guard alert.isActive, now - cell.since >= self.holdMilliseconds(cell, alert, rule) else { return }
            // A gate that closes ends the alert whatever is heard.
            let isClosed = cell.gate & (1 << self.timetable.rawValue) == 0
            guard isClosed || self.isFresh(index) else { return }
            self.clear(index)
        case .unknown: return
        }
    }

    private mutating func lookAtSeverity(_ index: Int) {
        let cell = self.cells[index]
        guard cell.hasSevere, self.alerts[index].isActive, cell.isSevere != self.alerts[index].isSevere,
            self.isFresh(index)
        else { return }
        let delay = cell.isSevere ? cell.onDelay : cell.offDelay
        guard self.now.rawValue - cell.severeSince >= delay else { return }
        self.alerts[index].isSevere = cell.isSevere
        if cell.isSevere {
            self.alerts[index].realarm()
            self.record(.escalated, index)
            self.call(index)
        } else {
            self.record(.eased, index)
        }
    }

    private mutating func raise(_ index: Int) {
        let rule = self.rule(index)
        let now = self.now.rawValue
        self.alerts[index].raise(at: now, latches: rule.isLatching)
        self.counters.raised &+= 1
        self.joinIncident(index)
        self.record(.raised, index)
        let alert = self.alerts[index]
        if rule.flapWindow > 0, !alert.isFlapping, alert.beforeThat != 0, now - alert.beforeThat <= rule.flapWindow {
            self.alerts[index].isFlapping = true
            self.record(.flapping, index)
        }
        self.call(index)
        if rule.cause != nil { self.suppressDependents(index, by: 1) }
    }

    private mutating func clear(_ index: Int) {
        let rule = self.rule(index)
        self.alerts[index].clear(at: self.now.rawValue, acknowledges: rule.acknowledgesItself)
        self.record(.cleared, index)
        if self.alerts[index].isFlapping {
            self.alerts[index].isFlapping = false
            self.record(.settled, index)
        }
        if rule.cause != nil { self.suppressDependents(index, by: -1) }
        self.leaveIncident(index)
    }

    /// Has somebody called: at once for what is dangerous, else after the causes had time to show themselves.
    private mutating func call(_ index: Int) {
        guard !self.alerts[index].isSetAside else { return }
        let isUrgent = self.rule(index).isLifeSafety || self.priority(index) == .critical
        if isUrgent {
            self.annunciate(index)
        } else if self.alerts[index].annunciateAt == 0 {
            self.alerts[index].annunciateAt = self.now.rawValue + Self.groupingMilliseconds
        }
    }

    private mutating func annunciate(_ index: Int) {
        self.alerts[index].annunciateAt = 0
        guard !self.alerts[index].isSetAside, !self.alerts[index].isAnnunciated else { return }
        self.alerts[index].isAnnunciated = true
        let isAlone = self.rule(index).isLifeSafety
        guard isAlone || self.incidents.isNews(self.alerts[index].incident, self.priority(index)) else { return }
        self.counters.annunciated &+= 1
        self.record(.annunciated, index)
    }

    // MARK: Incidents and causes

    private mutating func joinIncident(_ index: Int) {
        let instance = self.set.instances[index]
        let rule = self.set.rules[instance.rule]
        let now = self.now.rawValue
        if self.incidents.noteRaise(at: now) { self.gatherFlood() }
        guard self.alerts[index].incident == 0 else { return }
        let place: IncidentBook.Place =
            if rule.cause != nil {
                .cause(index)
            } else if let cause = self.activeCause(of: index) {
                .cause(cause)
            } else if self.incidents.isFlood, !rule.isLifeSafety {
                .flood
            } else {
                .node(instance.node)
            }
        self.alerts[index].incident = self.incidents.join(place, at: now)
    }

    /// A flood has begun: whoever nobody was called for yet belongs to it.
    private mutating func gatherFlood() {
        for index in self.alerts.indices where self.alerts[index].annunciateAt != 0 {
            if self.incidents.isOfCause(self.alerts[index].incident) { continue }
            self.incidents.leave(self.alerts[index].incident)
            self.alerts[index].incident = self.incidents.join(.flood, at: self.now.rawValue)
        }
    }

    /// The active cause that reaches an instance; the first in the order of the files.
    private func activeCause(of index: Int) -> Int? {
        guard self.alerts[index].suppressionCount > 0 else { return nil }
        return self.dependents.keys.sorted()
            .first { self.alerts[$0].isActive && self.dependents[$0]?.contains(Int32(clamping: index)) == true }
    }

    /// A cause began (1) or ended (-1): what follows from it is suppressed, or looked at again.
    private mutating func suppressDependents(_ cause: Int, by change: Int32) {
        for dependent in self.dependents[cause] ?? [] {
            let index = Int(dependent)
            let wasSuppressed = self.alerts[index].isSuppressed
            self.alerts[index].suppressionCount = max(0, self.alerts[index].suppressionCount + change)
            let isSuppressed = self.alerts[index].isSuppressed
            guard isSuppressed != wasSuppressed else { continue }
            let concerns = self.alerts[index].isActive || !self.alerts[index].isAcknowledged
            if isSuppressed {
                // What was raised just before belongs to the cause, and nobody is called for it any more.
                if concerns {
                    self.incidents.leave(self.alerts[index].incident)
                    self.alerts[index].incident = self.incidents.join(.cause(cause), at: self.now.rawValue)
                    self.record(.suppressed, index)
                }
                self.alerts[index].annunciateAt = 0
            } else {
                self.alerts[index].returnFromAside()
                if concerns { self.record(.unsuppressed, index) }
                if self.alerts[index].isActive { self.call(index) }
            }
            self.arm(index)
        }
    }

    /// Whoever is normal belongs to no incident any more.
    mutating func leaveIncident(_ index: Int) {
        let alert = self.alerts[index]
        guard alert.incident != 0, !alert.isActive, alert.isAcknowledged, !alert.isLatched else { return }
        self.incidents.leave(alert.incident)
        self.alerts[index].incident = 0
    }

    // MARK: What is told

    mutating func endShelf(_ index: Int, actor: String, note: String?) {
        self.alerts[index].shelvedUntil = 0
        self.remarks[index] = nil
        self.alerts[index].returnFromAside()
        self.record(.unshelved, index, actor: actor, note: note)
        if self.alerts[index].isActive { self.callAgain(index) }
    }

    mutating func callAgain(_ index: Int) { self.call(index) }

    mutating func record(
        _ kind: AlertTransition.Kind,
        _ index: Int,
        actor: String = "engine",
        note: String? = nil,
        until: Tick? = nil
    ) {
        let cell = self.cells[index]
        let alert = self.alerts[index]
        let row = cell.limitRow
        self.sequence &+= 1
        let isCompared = cell.kind != .join && cell.kind != .quality
        self.transitions.append(
            AlertTransition(
                sequence: self.sequence,
                tick: self.now,
                key: self.key(index),
                kind: kind,
                activation: alert.activation,
                state: alert.state,
                isActive: alert.isActive,
                isAcknowledged: alert.isAcknowledged,
                priority: self.priority(index),
                isLifeSafety: self.rule(index).isLifeSafety,
                node: self.set.instances[index].node,
                incident: alert.incident,
                value: isCompared && cell.measure.isFinite ? cell.measure : nil,
                limit: isCompared
                    ? row < 0 ? cell.limit : self.limitRows[Int(row) + Int(self.timetable.rawValue)] : nil,
                timetable: self.timetable,
                actor: actor,
                note: note,
                until: until
            )
        )
    }
}
