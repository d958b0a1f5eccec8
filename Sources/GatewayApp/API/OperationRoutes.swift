internal import Acquisition
internal import AlertEngine
internal import CampusModel
internal import Controls
internal import Exporters
internal import Hummingbird
internal import LineTransport
internal import ModbusTransport
internal import MQTTTransport
internal import SchoolRecords
internal import TimeSeriesRing
internal import WebConsole

/// `/healthz`, `/readyz` and `/metrics`.
struct OperationRoutes {
    let gateway: Gateway
    let console: Console
    let readiness: Readiness

    private struct ReadyAnswer: Encodable {
        var ready: Bool
        var problems: [String]
    }

    func add(to router: Router<ConsoleContext>) {
        router.get("/healthz") { _, _ in
            Response(status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: .init(string: "ok\n")))
        }
        router.get("/readyz") { _, _ in
            let problems = await self.readiness.problems()
            return try self.console.json(
                ReadyAnswer(ready: problems.isEmpty, problems: problems),
                status: problems.isEmpty ? .ok : .serviceUnavailable
            )
        }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4"],
                body: .init(byteBuffer: .init(string: await self.metrics()))
            )
        }
    }

    private func metrics() async -> String {
        var text = MetricsText()
        let ring = self.gateway.ring.statistics
        text.counter("campus_ring_samples_total", "Samples stored.", ring.appended)
        text.counter("campus_ring_duplicates_total", "Samples that were there already.", ring.duplicates)
        text.counter("campus_ring_late_total", "Samples older than all that is kept.", ring.late)
        text.counter("campus_ring_rejected_total", "Samples that cannot be stored.", ring.rejected)
        text.counter("campus_ring_write_failures_total", "Writes the card refused.", ring.writeFailures)
        text.counter("campus_ring_reordered_total", "Samples out of order that were put right.", ring.reordered)
        text.counter("campus_ring_unjournaled_total", "Samples the journal had no room for.", ring.unjournaled)
        text.counter("campus_ring_dropped_total", "Samples given up because the card took nothing.", ring.dropped)
        text.counter("campus_ring_damaged_total", "Blocks that did not hold what they should.", ring.damaged)
        text.counter("campus_ring_commits_total", "Commits to the card.", ring.commits)
        text.counter("campus_ring_seals_total", "Arenas that became segments.", ring.seals)
        text.counter("campus_ring_written_bytes_total", "Bytes written to the card.", ring.bytesWritten)
        text.gauge("campus_ring_series", "Series in use.", Double(ring.seriesCount))
        self.addHistory(to: &text)
        let ingest = self.gateway.engine.ingest.statistics
        text.counter("campus_mqtt_messages_total", "Messages received.", ingest.messages)
        text.counter("campus_mqtt_unclaimed_total", "Messages of no configured device.", ingest.unclaimed)
        text.counter("campus_mqtt_violations_total", "Payloads that broke their profile.", ingest.violations)
        for (contract, count) in ingest.contractViolations.sorted(by: { $0.key < $1.key }) {
            text.counter(
                "campus_contract_violations_total",
                "Payloads that broke the contract of their firmware.",
                count,
                labels: ["contract": contract]
            )
        }
        text.counter("campus_events_total", "Events committed.", ingest.events)
        let connection = self.gateway.connection.statistics
        text.counter("campus_mqtt_connects_total", "Connections to the broker.", connection.connects)
        text.gauge("campus_mqtt_connected", "1 while connected.", connection.state == .connected ? 1 : 0)
        for (reason, count) in self.gateway.engine.quarantine.statistics.counts.sorted(by: { $0.key < $1.key }) {
            text.counter("campus_quarantine_total", "Messages kept out.", count, labels: ["reason": reason])
        }
        self.addDescribed(to: &text)
        var states: [String: Int] = [:]
        for state in DeviceHealth.State.allCases { states[state.rawValue] = 0 }
        for runtime in self.gateway.engine.devices { states[runtime.health.state.rawValue, default: 0] += 1 }
        for (state, count) in states.sorted(by: { $0.key < $1.key }) {
            text.gauge("campus_devices", "Devices by state.", Double(count), labels: ["state": state])
        }
        for (bus, statistics) in await self.gateway.busStatistics().sorted(by: { $0.key < $1.key }) {
            let labels = ["bus": bus]
            text.counter("campus_modbus_requests_total", "Requests sent.", statistics.requests, labels: labels)
            text.counter(
                "campus_modbus_connects_total",
                "Connections made or lines opened.",
                statistics.connects,
                labels: labels
            )
            text.counter(
                "campus_modbus_timeouts_total",
                "Requests without a reply in time.",
                statistics.timeouts,
                labels: labels
            )
            text.counter(
                "campus_modbus_exceptions_total",
                "Exceptions answered.",
                statistics.exceptions,
                labels: labels
            )
            text.counter(
                "campus_modbus_bad_replies_total",
                "Replies that did not fit.",
                statistics.badReplies,
                labels: labels
            )
        }
        for (device, feed) in self.gateway.controls.feeds.sorted(by: { $0.key < $1.key }) {
            let labels = ["device": device.rawValue]
            text.counter("campus_failsafe_feeds_total", "Times fed.", UInt64(feed.count), labels: labels)
            text.counter(
                "campus_failsafe_failures_total",
                "Times it could not be.",
                UInt64(feed.failures),
                labels: labels
            )
        }
        for (bus, statistics) in await self.gateway.lineStatistics().sorted(by: { $0.key < $1.key }) {
            Self.add(statistics, bus: bus, to: &text)
        }
        if let listener = self.gateway.pushListener { Self.add(listener.statistics, to: &text) }
        for (bus, skipped) in self.gateway.engine.skippedPeriods.sorted(by: { $0.key < $1.key }) {
            text.counter("campus_poll_skipped_total", "Periods skipped on a busy bus.", skipped, labels: ["bus": bus])
        }
        for exporter in self.gateway.exports.exporters { Self.add(exporter.statistics, to: &text) }
        Self.add(self.gateway.alerts.statistics, to: &text)
        return text.text
    }

    private func addHistory(to text: inout MetricsText) {
        let history = self.gateway.historyLoad.statistics
        text.gauge("campus_history_active", "Answers with history under way.", Double(history.active))
        text.counter("campus_history_answers_total", "Answers with history begun.", history.answers)
        text.counter("campus_history_rows_total", "Rows of answers that were taken whole.", history.rows)
        text.counter("campus_history_abandoned_total", "Answers whose client went away.", history.abandoned)
        text.counter("campus_history_refused_total", "Requests for history that found no place.", history.refused)
    }

    private static func add(_ push: PushCounters, to text: inout MetricsText) {
        text.counter("campus_push_requests_total", "Requests of devices that push.", push.requests)
        text.counter("campus_push_messages_total", "Messages committed and acknowledged.", push.messages)
        text.counter("campus_push_dropped_total", "Bodies thrown away unread.", push.dropped)
        for (status, count) in push.refused.sorted(by: { $0.key < $1.key }) {
            text.counter("campus_push_refused_total", "Requests refused.", count, labels: ["status": "\(status)"])
        }
    }

    private static func add(_ line: LineStatistics, bus: String, to text: inout MetricsText) {
        let labels = ["bus": bus]
        text.counter("campus_line_requests_total", "Requests sent.", line.requests, labels: labels)
        text.counter("campus_line_connects_total", "Connections made or lines opened.", line.connects, labels: labels)
        text.counter("campus_line_timeouts_total", "Requests without a reply in time.", line.timeouts, labels: labels)
        text.counter("campus_line_refusals_total", "Replies that refused.", line.refusals, labels: labels)
        text.counter("campus_line_bad_replies_total", "Bytes that fit no reply.", line.badReplies, labels: labels)
        text.counter("campus_line_late_total", "Replies that came late or unasked.", line.late, labels: labels)
    }

    private static func add(_ alerts: AlertWatch.Statistics, to text: inout MetricsText) {
        text.gauge("campus_alerts_watched", "Things that rules watch.", Double(alerts.instances))
        for state in AlertState.allCases where state != .normal {
            text.gauge(
                "campus_alerts",
                "Alerts by state.",
                Double(alerts.states[state] ?? 0),
                labels: ["state": state.rawValue]
            )
        }
        text.counter("campus_alert_samples_total", "Samples that rules looked at.", alerts.counters.samples)
        text.counter("campus_alert_evaluations_total", "Rules looked at for a sample.", alerts.counters.evaluations)
        text.counter("campus_alert_late_total", "Samples older than the newest of their point.", alerts.counters.late)
        text.counter("campus_alert_raised_total", "Activations since the start.", alerts.counters.raised)
        text.counter("campus_alert_calls_total", "Calls of people since the start.", alerts.counters.annunciated)
        text.counter("campus_alert_dropped_total", "Samples that rules had no time for.", alerts.dropped)
        text.counter("campus_alert_sequence", "The number of the last transition.", UInt64(clamping: alerts.sequence))
        text.gauge("campus_alert_pending", "Transitions not written yet.", Double(alerts.pending))
        text.counter("campus_alert_write_failures_total", "Times they could not be written.", alerts.commitFailures)
        text.gauge("campus_outbox_depth", "Transitions that wait for the centre.", Double(alerts.outboxDepth))
    }

    private static func add(_ exporter: ExporterStatistics, to text: inout MetricsText) {
        let labels = ["exporter": exporter.name]
        text.counter("campus_export_sent_total", "Samples acknowledged.", exporter.sent, labels: labels)
        text.counter(
            "campus_export_replayed_total",
            "Samples acknowledged that had waited.",
            exporter.replayed,
            labels: labels
        )
        text.counter("campus_export_dropped_total", "Samples never sent.", exporter.dropped, labels: labels)
        text.counter("campus_export_retries_total", "Requests that failed.", exporter.retries, labels: labels)
        text.gauge("campus_export_backlog", "Samples that wait.", Double(exporter.backlogSamples), labels: labels)
        text.gauge(
            "campus_export_backlog_bytes",
            "Bytes that wait, as they will be sent.",
            Double(exporter.backlogBytes),
            labels: labels
        )
        text.gauge(
            "campus_export_backlog_seconds",
            "How long the oldest sample waits.",
            exporter.backlogSeconds,
            labels: labels
        )
        text.gauge(
            "campus_export_connected",
            "1 while requests are acknowledged.",
            exporter.connectedSince == nil ? 0 : 1,
            labels: labels
        )
    }
}

/// Prometheus' text format, version 0.0.4.
struct MetricsText {
    private(set) var text = ""
    private var described: Set<String> = []

    mutating func counter(_ name: String, _ help: String, _ value: UInt64, labels: [String: String] = [:]) {
        self.line(name, help, "counter", "\(value)", labels)
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double, labels: [String: String] = [:]) {
        self.line(name, help, "gauge", "\(value)", labels)
    }

    private mutating func line(
        _ name: String,
        _ help: String,
        _ type: String,
        _ value: String,
        _ labels: [String: String]
    ) {
        if self.described.insert(name).inserted { self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" }
        let pairs = labels.sorted { $0.key < $1.key }
            .map { key, value in
                let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                    .replacing("\n", with: "\\n")
                return "\(key)=\"\(escaped)\""
            }
        self.text += name + (pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") + " \(value)\n"
    }
}
