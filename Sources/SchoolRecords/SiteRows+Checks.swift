internal import CampusModel

extension SiteRows {
    /// Throws ``RecordsError/Code/invalid`` unless every identifier is unique, every reference exists and the tree
    /// has no circle.
    func check() throws(RecordsError) {
        var parents: [NodeID: NodeID?] = [:]
        for node in self.nodes where parents.updateValue(node.parent, forKey: node.id) != nil {
            throw RecordsError(.invalid, "the site has the node '\(node.id)' twice")
        }
        try self.checkTree(parents)
        var devices: Set<DeviceID> = []
        for device in self.devices {
            guard devices.insert(device.id).inserted else {
                throw RecordsError(.invalid, "the site has the device '\(device.id)' twice")
            }
            guard parents[device.node] != nil else {
                throw RecordsError(
                    .invalid,
                    "device '\(device.id)' is in '\(device.node)', which the site does not have"
                )
            }
        }
        var points: Set<PointID> = []
        for point in self.points {
            guard points.insert(point.id).inserted else {
                throw RecordsError(.invalid, "the site has the point '\(point.id)' twice")
            }
            guard devices.contains(point.id.device) else {
                throw RecordsError(.invalid, "point '\(point.id)' is of a device that the site does not have")
            }
        }
    }

    private func checkTree(_ parents: [NodeID: NodeID?]) throws(RecordsError) {
        var sound: Set<NodeID> = []
        for node in self.nodes {
            var path: Set<NodeID> = []
            var current: NodeID? = node.id
            while let id = current, !sound.contains(id) {
                guard let parent = parents[id] else {
                    throw RecordsError(.invalid, "the site refers to the node '\(id)', which it does not have")
                }
                guard path.insert(id).inserted else {
                    throw RecordsError(.invalid, "the site's node '\(id)' is inside itself")
                }
                current = parent
            }
            sound.formUnion(path)
        }
    }
}
