/// A version by SemVer 2.0.0, without pre-release and build.
package struct ContractVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(major: Int, minor: Int, patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `1.4.2`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, text.utf8.count <= 32 else { return nil }
        let numbers = parts.compactMap { part -> Int? in
            guard !part.isEmpty, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part == "0" || part.utf8.first != 0x30
            else { return nil }
            return Int(part)
        }
        guard numbers.count == 3 else { return nil }
        self.init(major: numbers[0], minor: numbers[1], patch: numbers[2])
    }

    package static func < (left: ContractVersion, right: ContractVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    package var description: String { "\(self.major).\(self.minor).\(self.patch)" }

    /// What payloads say: a patch changes nothing in them.
    package var published: String { "\(self.major).\(self.minor)" }
}

/// The name of a contract, `family/v<major>`, as its folder and as profiles say it.
package struct ContractName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var family: String
    package var major: Int

    package init(family: String, major: Int) {
        self.family = family
        self.major = major
    }

    /// Reads `family/v1`; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[1].first == "v", let major = Int(parts[1].dropFirst()),
            (0...999).contains(major), parts[1] == "v\(major)"
        else { return nil }
        self.init(family: String(parts[0]), major: major)
    }

    package static func < (left: ContractName, right: ContractName) -> Bool {
        (left.family, left.major) < (right.family, right.major)
    }

    package var description: String { "\(self.family)/v\(self.major)" }
}
