internal import CampusModel
internal import SchoolRecords

/// What the API tells of the records.
extension APIModel {
    struct User: Encodable {
        var name: String
        var role: String
        var isDisabled: Bool
        var mustChangePassword: Bool
        var createdAt: String

        init(_ record: UserRecord) {
            self.name = record.name
            self.role = record.role.rawValue
            self.isDisabled = record.isDisabled
            self.mustChangePassword = record.mustChangePassword
            self.createdAt = UTCText.rfc3339(record.created)
        }
    }

    struct Token: Encodable {
        var id: String
        var label: String
        var role: String
        var createdAt: String
        var expiresAt: String?
        var lastUsedAt: String?
        /// Only when it was just made.
        var secret: String?

        init(_ record: APITokenRecord, secret: String?) {
            self.id = record.id
            self.label = record.label
            self.role = record.role.rawValue
            self.createdAt = UTCText.rfc3339(record.created)
            self.expiresAt = record.expires.map(UTCText.rfc3339)
            self.lastUsedAt = record.lastUsed.map(UTCText.rfc3339)
            self.secret = secret
        }
    }

    struct AuditItem: Encodable {
        var id: Int64
        var at: String
        var actor: String
        var action: String
        var subject: String
        var detail: [String: String]

        init(_ entry: AuditEntry) {
            self.id = entry.id
            self.at = UTCText.rfc3339(entry.at)
            self.actor = entry.actor
            self.action = entry.action
            self.subject = entry.subject
            self.detail = entry.detail
        }
    }

    /// The points of one name and unit in a node, over one hour or day.
    struct NodeSummaryItem: Encodable {
        var at: String
        var name: String
        var unit: String
        var devices: Int
        var mean: Double?
        var minimum: Double?
        var maximum: Double?
        var count: UInt32
        var badCount: UInt32

        init(_ summary: NodeSummary) {
            let rollup = RollupItem(summary.rollup)
            self.at = rollup.at
            self.name = summary.name
            self.unit = summary.unit
            self.devices = summary.deviceCount
            (self.mean, self.minimum, self.maximum) = (rollup.mean, rollup.minimum, rollup.maximum)
            (self.count, self.badCount) = (rollup.count, rollup.badCount)
        }
    }
}
