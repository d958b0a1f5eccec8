package import CampusModel

/// One node of the site tree as it is stored.
package struct SiteNodeRow: Sendable, Hashable {
    package var id: NodeID
    /// `nil` at the top.
    package var parent: NodeID?
    /// `city`, `cluster`, `commune`, `site`, `building`, `floor` or `room`.
    package var kind: String
    /// What a room is for (`classroom`, `laboratory`, …); `nil` for other nodes.
    package var roomKind: String?
    package var name: LocalizedText
    /// The order among its siblings.
    package var sort: Int
    /// Whether it is in the configuration now; what was removed there stays for its history.
    package var isConfigured: Bool

    package init(
        id: NodeID,
        parent: NodeID?,
        kind: String,
        roomKind: String? = nil,
        name: LocalizedText,
        sort: Int = 0,
        isConfigured: Bool = true
    ) {
        self.id = id
        self.parent = parent
        self.kind = kind
        self.roomKind = roomKind
        self.name = name
        self.sort = sort
        self.isConfigured = isConfigured
    }
}

/// A device as it is stored.
package struct DeviceRow: Sendable, Hashable {
    package var id: DeviceID
    package var node: NodeID
    package var profile: String
    /// Where it is reached: a JSON text, without secrets.
    package var addressJSON: String
    package var name: LocalizedText
    /// The code in the accounting register.
    package var asset: String?
    package var isEnabled: Bool
    /// Whether it is in the configuration now; a device that is not is also not enabled.
    package var isConfigured: Bool

    package init(
        id: DeviceID,
        node: NodeID,
        profile: String,
        addressJSON: String,
        name: LocalizedText,
        asset: String? = nil,
        isEnabled: Bool = true,
        isConfigured: Bool = true
    ) {
        self.id = id
        self.node = node
        self.profile = profile
        self.addressJSON = addressJSON
        self.name = name
        self.asset = asset
        self.isEnabled = isEnabled
        self.isConfigured = isConfigured
    }
}

/// A point as it is stored.
package struct PointRow: Sendable, Hashable {
    package var id: PointID
    /// The UCUM code.
    package var unit: String
    package var title: LocalizedText
    package var privacy: PrivacyClass
    /// Whether it is in the configuration now.
    package var isConfigured: Bool

    package init(
        id: PointID,
        unit: String,
        title: LocalizedText,
        privacy: PrivacyClass = .none,
        isConfigured: Bool = true
    ) {
        self.id = id
        self.unit = unit
        self.title = title
        self.privacy = privacy
        self.isConfigured = isConfigured
    }
}

/// The whole site as the configuration tells it.
package struct SiteRows: Sendable, Hashable {
    package var nodes: [SiteNodeRow]
    package var devices: [DeviceRow]
    package var points: [PointRow]

    package init(nodes: [SiteNodeRow], devices: [DeviceRow], points: [PointRow]) {
        self.nodes = nodes
        self.devices = devices
        self.points = points
    }
}

/// What ``Records/sync(site:actor:)`` changed.
package struct SiteChanges: Sendable, Hashable {
    /// Counts of one table.
    package struct Counts: Sendable, Hashable {
        package var added = 0
        package var changed = 0
        /// No longer configured; kept for their history.
        package var retired = 0

        package init(added: Int = 0, changed: Int = 0, retired: Int = 0) {
            self.added = added
            self.changed = changed
            self.retired = retired
        }
    }

    package var nodes = Counts()
    package var devices = Counts()
    package var points = Counts()

    package init(nodes: Counts = Counts(), devices: Counts = Counts(), points: Counts = Counts()) {
        self.nodes = nodes
        self.devices = devices
        self.points = points
    }

    package var isEmpty: Bool { self == SiteChanges() }
}
