internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import SchoolRecords

/// The bodies of the API, as `openapi.json` describes them.
enum APIModel {
    /// One page of a list.
    struct List<Item: Encodable>: Encodable {
        var items: [Item]
        /// What to pass as `after` for the next page; absent on the last.
        var next: String?
    }

    struct Status: Encodable {
        var site: String
        var name: LocalizedText
        var version: String
        var startedAt: String
        var now: String
        var devices: [String: Int]
        var points: Int
        var samplesStored: UInt64
        var brokerConnected: Bool
        var quarantine: Int
        var configurationProblems: [String]
    }

    struct Node: Encodable {
        var id: String
        var parent: String?
        var kind: String
        var room: String?
        var name: LocalizedText
    }

    struct Fault: Encodable {
        var at: String
        var reason: String
        var message: String
        var frame: String
    }

    struct Device: Encodable {
        var id: String
        var name: LocalizedText
        var node: String
        var profile: String
        var state: String
        var reason: String
        var since: String
        var lastSeen: String?
        var accepted: UInt64
        var failures: UInt64
        var violations: UInt64
        var errorRate: Double
        var latencyMilliseconds: Double
        var lastFault: Fault?

        init(_ snapshot: DeviceSnapshot) {
            self.id = snapshot.id.rawValue
            self.name = snapshot.name
            self.node = snapshot.node.rawValue
            self.profile = snapshot.profile
            self.state = snapshot.health.state.rawValue
            self.reason = snapshot.health.reason.rawValue
            self.since = UTCText.rfc3339(snapshot.health.since)
            self.lastSeen = snapshot.health.lastSeen.map(UTCText.rfc3339)
            self.accepted = snapshot.counters.accepted
            self.failures = snapshot.counters.failures
            self.violations = snapshot.counters.violations
            self.errorRate = snapshot.counters.errorRate
            self.latencyMilliseconds = Double(snapshot.counters.latencyNanoseconds) / 1e6
            self.lastFault = snapshot.fault.map {
                Fault(at: UTCText.rfc3339($0.tick), reason: $0.reason, message: $0.message, frame: $0.frame)
            }
        }
    }

    struct Point: Encodable {
        var id: String
        var title: LocalizedText
        var unit: String
        var kind: String
        /// Whether the ring keeps it: no text, nothing personal.
        var hasHistory: Bool
        var value: Double?
        var text: String?
        var quality: String?
        var at: String?
        var receivedAt: String?

        init(_ snapshot: PointSnapshot, _ definition: PointDefinition) {
            self.id = snapshot.id.description
            self.title = definition.title
            self.unit = definition.unit
            self.kind = definition.kind.rawValue
            self.hasHistory = definition.kind != .text && definition.privacy == .none && !definition.isHidden
            self.quality = snapshot.latest?.quality.description
            self.at = snapshot.latest.map { UTCText.rfc3339($0.tick) }
            self.receivedAt = snapshot.received.map(UTCText.rfc3339)
            if definition.privacy == .none {
                let isNumber = definition.kind != .text
                self.value = snapshot.latest.flatMap { $0.quality.level == .bad || !isNumber ? nil : $0.value }
                self.text = snapshot.text
            } else {
                self.text = snapshot.text.map(Masking.masked)
            }
        }
    }

    struct RollupItem: Encodable {
        var at: String
        var mean: Double?
        var minimum: Double?
        var maximum: Double?
        var count: UInt32
        var badCount: UInt32

        init(_ rollup: Rollup) {
            self.at = UTCText.rfc3339(rollup.start)
            self.mean = rollup.mean
            self.minimum = rollup.count > 0 ? rollup.minimum : nil
            self.maximum = rollup.count > 0 ? rollup.maximum : nil
            self.count = rollup.count
            self.badCount = rollup.badCount
        }
    }

    /// What the charts of the pages read.
    struct Chart: Encodable {
        var unit: String
        var columns = ["time", "value", "minimum", "maximum", "quality"]
        var rows: [Row]

        struct Row: Encodable {
            var time: Int64
            var value: Double?
            var minimum: Double?
            var maximum: Double?
            var quality: String

            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(self.time)
                try container.encode(self.value)
                try container.encode(self.minimum)
                try container.encode(self.maximum)
                try container.encode(self.quality)
            }

            init(_ rollup: Rollup) {
                self.time = rollup.start.rawValue
                self.value = rollup.mean
                self.minimum = rollup.count > 0 ? rollup.minimum : nil
                self.maximum = rollup.count > 0 ? rollup.maximum : nil
                self.quality = rollup.count > 0 ? "good" : "bad"
            }
        }
    }

    struct QuarantineItem: Encodable {
        struct Suggestion: Encodable {
            var profile: String
            var parameters: [String: String]
            var points: Int
        }

        var id: UInt64
        var topic: String
        var reason: String
        var detail: String
        /// How the payload differs from its contract.
        var differences: [LocalizedText]
        var device: String?
        var payload: String
        var payloadBytes: Int
        var count: UInt64
        var firstSeen: String
        var lastSeen: String
        var suggestions: [Suggestion]

        init(_ entry: Quarantine.Entry) {
            self.id = entry.id
            self.topic = entry.topic
            self.reason = entry.reason
            self.detail = entry.detail
            self.differences = entry.differences
            self.device = entry.device?.rawValue
            self.payload = entry.payload
            self.payloadBytes = entry.payloadBytes
            self.count = entry.count
            self.firstSeen = UTCText.rfc3339(entry.firstSeen)
            self.lastSeen = UTCText.rfc3339(entry.lastSeen)
            self.suggestions = entry.suggestions.map {
                Suggestion(profile: $0.profile, parameters: $0.parameters, points: $0.pointCount)
            }
        }
    }

    struct EventItem: Encodable {
        var id: Int64
        var device: String
        var name: String
        var kind: String
        var at: String
        var receivedAt: String
        var isReplay: Bool
        var fields: [String: String]

        init(_ record: EventRecord) {
            self.id = record.id
            self.device = record.device.rawValue
            self.name = record.name
            self.kind = record.kind.rawValue
            self.at = UTCText.rfc3339(record.tick)
            self.receivedAt = UTCText.rfc3339(record.received)
            self.isReplay = record.isReplay
            self.fields = Dictionary(record.fields.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
        }
    }

    struct Login: Encodable {
        var user: String
        /// Only when it was generated.
        var password: String?
    }

    struct Reloaded: Encodable {
        var problems: [String]
    }
}
