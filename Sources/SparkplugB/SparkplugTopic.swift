/// `spBv1.0/<group>/<kind>/<edge node>[/<device>]`.
package struct SparkplugTopic: Sendable, Hashable {
    /// What a message is about.
    package enum Kind: String, Sendable, CaseIterable {
        case nodeBirth = "NBIRTH"
        case nodeData = "NDATA"
        case nodeDeath = "NDEATH"
        case nodeCommand = "NCMD"
        case deviceBirth = "DBIRTH"
        case deviceData = "DDATA"
        case deviceDeath = "DDEATH"
        case deviceCommand = "DCMD"

        /// Whether its topic names a device.
        var isOfDevice: Bool { self.rawValue.hasPrefix("D") }
    }

    package static let prefix = "spBv1.0/"
    /// The most bytes of a group, node or device.
    static let nameBytesMax = 100

    package var group: String
    package var kind: Kind
    package var node: String
    package var device: String?

    /// `nil` for everything else, also for the states of host applications.
    package init?(_ topic: String) {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (4...5).contains(levels.count), levels[0] == "spBv1.0", let kind = Kind(rawValue: levels[2]),
            kind.isOfDevice == (levels.count == 5)
        else { return nil }
        let names = [levels[1]] + levels[3...]
        guard
            names.allSatisfy({ name in
                (1...Self.nameBytesMax).contains(name.utf8.count)
                    && !name.unicodeScalars.contains { "+#{}".unicodeScalars.contains($0) || $0.value < 0x20 }
            })
        else { return nil }
        self.init(group: levels[1], kind: kind, node: levels[3], device: levels.count == 5 ? levels[4] : nil)
    }

    package init(group: String, kind: Kind, node: String, device: String? = nil) {
        self.group = group
        self.kind = kind
        self.node = node
        self.device = device
    }

    package var text: String {
        "\(Self.prefix)\(self.group)/\(self.kind.rawValue)/\(self.node)\(self.device.map { "/\($0)" } ?? "")"
    }
}
