internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import SchoolRecords

extension APIModel {
    /// One alert.
    struct Alert: Encodable {
        var id: String
        var rule: String
        var instance: String
        var title: LocalizedText
        var advice: LocalizedText
        var state: String
        var priority: String
        var lifeSafety: Bool
        var node: String
        var active: Bool
        var acknowledged: Bool
        var activation: Int64
        var raisedAt: String?
        var clearedAt: String?
        var acknowledgedAt: String?
        var shelvedUntil: String?
        var incident: Int64?
        var flapping: Bool
        /// What is compared now, and with what, in the unit.
        var value: Double?
        var limit: Double
        var unit: String
        /// Whether what it reads may be believed now.
        var fresh: Bool
        var points: [String]
        var actor: String?
        var note: String?

        init(_ view: AlertView, utc: (Tick) -> Tick) {
            func text(_ tick: Int64) -> String? { tick == 0 ? nil : UTCText.rfc3339(utc(Tick(rawValue: tick))) }
            self.id = view.id
            self.rule = view.key.rule
            self.instance = view.key.instance
            self.title = view.rule.title
            self.advice = view.rule.advice
            self.state = view.state.rawValue
            self.priority = view.priority.word
            self.lifeSafety = view.rule.isLifeSafety
            self.node = view.node.rawValue
            self.active = view.memory.isActive
            self.acknowledged = view.memory.isAcknowledged
            self.activation = view.memory.activation
            self.raisedAt = text(view.memory.raised)
            self.clearedAt = text(view.memory.cleared)
            self.acknowledgedAt = text(view.memory.acknowledged)
            self.shelvedUntil = text(view.memory.shelvedUntil)
            self.incident = view.memory.incident == 0 ? nil : view.memory.incident
            self.flapping = view.memory.isFlapping
            self.value = view.reading.measure
            self.limit = view.reading.limit
            self.unit = view.rule.unit
            self.fresh = view.reading.isFresh
            self.points = view.reading.points.map(\.description)
            self.actor = view.remark?.actor
            self.note = view.remark?.text
        }
    }

    /// One thing that happened to an alert.
    struct AlertTransition: Encodable {
        var sequence: Int64
        var at: String
        var alert: String
        var kind: String
        var activation: Int64
        var state: String
        var priority: String
        var lifeSafety: Bool
        var node: String
        var incident: Int64?
        var value: Double?
        var limit: Double?
        var timetable: String
        var actor: String
        var note: String?
        var until: String?

        init(_ row: AlertTransitionRow, utc: (Tick) -> Tick) {
            self.sequence = row.sequence
            self.at = UTCText.rfc3339(utc(row.tick))
            self.alert = AlertView.id(AlertKey(rule: row.rule, instance: row.instance))
            self.kind = row.kind
            self.activation = row.activation
            self.state = row.state
            self.priority = row.priority
            self.lifeSafety = row.isLifeSafety
            self.node = row.node.rawValue
            self.incident = row.incident == 0 ? nil : row.incident
            self.value = row.value
            self.limit = row.limit
            self.timetable = row.timetable
            self.actor = row.actor
            self.note = row.note
            self.until = row.until.map { UTCText.rfc3339(utc($0)) }
        }
    }
}
