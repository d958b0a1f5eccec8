package import CampusModel

/// A site as rules see it: where its points are and what they measure.
package struct WatchedSite: Sendable, Hashable {
    /// A node of the site tree.
    package struct Node: Sendable, Hashable {
        package var id: NodeID
        package var parent: NodeID?
        /// The word of `site.yaml`, such as `building` or `room`.
        package var kind: String
        /// What the room is for, such as `classroom`; `nil` for what is no room.
        package var room: String?

        package init(id: NodeID, parent: NodeID?, kind: String, room: String? = nil) {
            self.id = id
            self.parent = parent
            self.kind = kind
            self.room = room
        }
    }

    /// A point of a device.
    package struct Point: Sendable, Hashable {
        package var id: PointID
        package var node: NodeID
        /// UCUM code.
        package var unit: String
        package var profile: String
        /// The profile's category.
        package var category: String
        /// The Modbus bus; `mqtt` for what comes by the broker.
        package var bus: String
        /// How often it is heard of at least, milliseconds.
        package var interval: Int64

        package init(
            id: PointID,
            node: NodeID,
            unit: String,
            profile: String,
            category: String,
            bus: String,
            interval: Int64
        ) {
            self.id = id
            self.node = node
            self.unit = unit
            self.profile = profile
            self.category = category
            self.bus = bus
            self.interval = interval
        }
    }

    package var nodes: [Node]
    /// In the order of the engine's signals.
    package var points: [Point]
    package var hours: SchoolHours

    package init(nodes: [Node], points: [Point], hours: SchoolHours) {
        self.nodes = nodes
        self.points = points
        self.hours = hours
    }
}
