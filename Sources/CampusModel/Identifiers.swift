/// Why a text is not an identifier.
package struct IdentifierError: Error, CustomStringConvertible {
    package var description: String
}

/// The rule of every identifier in files, topics and addresses: 1 to 64 characters of `a–z 0–9 - _ .`, the first a
/// letter or digit.
///
/// Lower case, so that a file name, a topic and an address are the same everywhere.
package enum IdentifierRule {
    package static func check(_ text: String, kind: String) throws(IdentifierError) {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count) else {
            throw IdentifierError(description: "\(kind) '\(text.prefix(80))' must have 1 to 64 characters")
        }
        for (offset, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): if offset > 0 { continue }
            default: break
            }
            throw IdentifierError(
                description:
                    "\(kind) '\(text)' may only have the characters a-z 0-9 - _ . and starts with a letter or digit"
            )
        }
    }
}

/// The identifier of a site-tree node (city, site, building, floor, room).
package struct NodeID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }
    package var description: String { self.rawValue }
}

/// The identifier of a device: one physical thing with one address and one profile.
package struct DeviceID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static func < (left: DeviceID, right: DeviceID) -> Bool { left.rawValue < right.rawValue }
    package var description: String { self.rawValue }
}

/// The identifier of a point, `device/point`: one quantity of one device.
///
/// Also the name of its series in the ring.
package struct PointID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var device: DeviceID
    /// The point's name in the profile.
    package var name: String

    package init(device: DeviceID, name: String) {
        self.device = device
        self.name = name
    }

    /// Reads `device/point`; `nil` when there is not exactly one slash with text on both sides.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(device: DeviceID(rawValue: String(parts[0])), name: String(parts[1]))
    }

    package var description: String { "\(self.device.rawValue)/\(self.name)" }

    package static func < (left: PointID, right: PointID) -> Bool {
        (left.device.rawValue, left.name) < (right.device.rawValue, right.name)
    }
}
