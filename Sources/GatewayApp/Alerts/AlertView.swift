internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import Foundation
internal import Synchronization

/// One alert as pages and the API show it.
struct AlertView: Sendable {
    var key: AlertKey
    var rule: AlertRule
    var state: AlertState
    var priority: AlertPriority
    var node: NodeID
    var memory: AlertMemory
    var reading: AlertReading
    var remark: AlertRemark?
    var timetable: TimetableState

    /// The identifier in addresses: `rule:instance`, with `~` for the slash of a point.
    var id: String { Self.id(self.key) }

    static func id(_ key: AlertKey) -> String { key.description.replacing("/", with: "~") }

    /// Reads ``id``.
    static func key(_ id: String) -> AlertKey? {
        AlertKey((id.removingPercentEncoding ?? id).replacing("~", with: "/"))
    }

    /// What comes first on a page: life-safety, then what nobody knows of, then by priority, the newest first.
    static func isMoreUrgent(_ left: AlertView, _ right: AlertView) -> Bool {
        func rank(_ view: AlertView) -> (Int, Int, Int, Int64) {
            let order: [AlertState] = [
                .unacknowledged, .latched, .acknowledged, .returnedUnacknowledged, .suppressed, .shelved,
                .outOfService, .normal,
            ]
            let isFirst = view.rule.isLifeSafety && !view.memory.isSetAside && view.state != .normal
            return (
                isFirst ? 0 : 1, order.firstIndex(of: view.state) ?? 9, -Int(view.priority.rawValue),
                -view.memory.raised
            )
        }
        return rank(left) < rank(right)
    }
}

extension AlertWatch {
    /// Every alert that is not normal, the most urgent first.
    func attention() -> [AlertView] {
        self.state.withLock { state in state.engine.attention.map { Self.view(state, $0) } }
            .sorted(by: AlertView.isMoreUrgent)
    }

    /// One alert; `nil` when there is none.
    func alert(_ key: AlertKey) -> AlertView? {
        self.state.withLock { state in state.engine.index(of: key).map { Self.view(state, $0) } }
    }

    /// The rule of an alert as it was written, and its pack.
    func template(of rule: String) -> (template: RuleTemplate, pack: RulePack?)? {
        self.state.withLock { state in
            state.templates.first { $0.rule.id == rule }
                .map { template in
                    (template, state.packs.first { $0.rules.contains { $0.rule.id == rule } })
                }
        }
    }

    /// How many alerts are active and not set aside.
    var activeCount: Int {
        self.state.withLock { state in
            state.engine.attention.count { state.engine.memory($0).isActive && !state.engine.memory($0).isSetAside }
        }
    }

    /// How many are watched.
    var instanceCount: Int { self.state.withLock { $0.engine.set.instances.count } }

    private static func view(_ state: State, _ index: Int) -> AlertView {
        let engine = state.engine
        let memory = engine.memory(index)
        return AlertView(
            key: engine.key(index),
            rule: engine.rule(index),
            state: memory.state,
            priority: engine.priority(index),
            node: engine.set.instances[index].node,
            memory: memory,
            reading: engine.reading(index),
            remark: engine.remark(index),
            timetable: engine.timetable
        )
    }
}
