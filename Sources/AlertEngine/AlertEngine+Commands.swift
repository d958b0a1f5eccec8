package import CampusModel

extension AlertEngine {
    /// Does what a person asks for.
    ///
    /// - Throws: Why it is refused; then nothing has changed.
    package mutating func perform(
        _ command: AlertCommand,
        on key: AlertKey,
        by actor: String,
        now: Tick
    ) throws(AlertCommandError) {
        self.advance(to: now)
        guard let index = self.indexOfKey[key] else { throw .unknown }
        switch command {
        case .acknowledge(let activation, let note): try self.acknowledge(index, activation, note, actor)
        case .reset(let note):
            guard self.alerts[index].reset() else { throw .notResettable }
            self.leaveIncident(index)
            self.record(.reset, index, actor: actor, note: note)
        case .shelve(let until, let reason, let second):
            try self.checkReason(index, reason, second, actor)
            try self.shelve(index, until, AlertRemark(actor: actor, second: second, text: reason))
        case .unshelve:
            guard self.alerts[index].isShelved else { throw .alreadySo }
            self.endShelf(index, actor: actor, note: nil)
        case .takeOutOfService(let reason, let second):
            guard !self.alerts[index].isOutOfService else { throw .alreadySo }
            try self.checkReason(index, reason, second, actor)
            self.alerts[index].isOutOfService = true
            self.alerts[index].annunciateAt = 0
            self.remarks[index] = AlertRemark(actor: actor, second: second, text: reason)
            self.record(.outOfService, index, actor: Self.names(actor, second), note: reason)
        case .returnToService:
            guard self.alerts[index].isOutOfService else { throw .alreadySo }
            self.alerts[index].isOutOfService = false
            self.remarks[index] = nil
            self.alerts[index].returnFromAside()
            self.record(.inService, index, actor: actor)
            if self.alerts[index].isActive { self.callAgain(index) }
        case .restart(let note):
            let cell = self.cells[index]
            guard cell.kind == .runHours || cell.kind == .excess else { throw .nothingToRestart }
            self.memory[Int(cell.memory)] = 0
            self.compare(index, 0, at: self.now.rawValue)
            self.record(.reset, index, actor: actor, note: note)
        }
        self.arm(index)
    }

    private mutating func acknowledge(
        _ index: Int,
        _ activation: Int64,
        _ note: String?,
        _ actor: String
    ) throws(AlertCommandError) {
        guard activation == self.alerts[index].activation else {
            throw .superseded(present: self.alerts[index].activation)
        }
        guard self.alerts[index].acknowledge(activation: activation, at: self.now.rawValue) else { throw .alreadySo }
        self.alerts[index].annunciateAt = 0
        self.remarks[index] = AlertRemark(actor: actor, text: note)
        self.leaveIncident(index)
        self.record(.acknowledged, index, actor: actor, note: note)
    }

    private mutating func shelve(_ index: Int, _ until: Tick, _ remark: AlertRemark) throws(AlertCommandError) {
        let longest = self.rule(index).shelfMax
        let length = until.rawValue.subtractingReportingOverflow(self.now.rawValue)
        guard !length.overflow, length.partialValue > 0, length.partialValue <= longest else {
            throw .shelfLength(longest: longest)
        }
        self.alerts[index].shelvedUntil = until.rawValue
        self.alerts[index].annunciateAt = 0
        self.remarks[index] = remark
        self.record(
            .shelved,
            index,
            actor: Self.names(remark.actor, remark.second),
            note: remark.text,
            until: until
        )
    }

    /// Whoever sets something aside says why; where people may come to harm, somebody else agrees.
    private func checkReason(
        _ index: Int,
        _ reason: String,
        _ second: String?,
        _ actor: String
    ) throws(AlertCommandError) {
        guard reason.contains(where: { !$0.isWhitespace }) else { throw .reasonMissing }
        guard self.rule(index).isLifeSafety else { return }
        guard let second, !second.isEmpty, second != actor else { throw .secondPersonMissing }
    }

    private static func names(_ actor: String, _ second: String?) -> String {
        second.map { "\(actor), \($0)" } ?? actor
    }
}
