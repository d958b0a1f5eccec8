package import CampusModel

/// One way in which a version of a contract is not the one before.
package struct ContractChange: Sendable, Hashable, CustomStringConvertible {
    /// How much of the version must change with it.
    package enum Level: Int, Sendable, Comparable, CaseIterable, CustomStringConvertible {
        /// Only words for people.
        case patch
        /// Both sides go on without the other's change.
        case minor
        /// An older gateway would refuse or misread new payloads, or a newer one old payloads.
        case major

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        package var description: String {
            switch self {
            case .patch: "patch"
            case .minor: "minor"
            case .major: "major"
            }
        }
    }

    package var level: Level
    /// `message telemetry /temperature`, `channel status`.
    package var place: String
    package var text: LocalizedText

    /// `major: message telemetry /temperature: the unit was Cel and is [degF]` in a language.
    package func line(in language: Language) -> String {
        "\(self.level): \(self.place): \(self.text.text(in: language))"
    }

    package var description: String { self.line(in: .en) }
}

/// What changed between two versions of a contract, and whether its number says so.
package struct ContractComparison: Sendable {
    package let old: FirmwareContract
    package let new: FirmwareContract
    /// The largest first.
    package let changes: [ContractChange]

    package init(old: FirmwareContract, new: FirmwareContract) {
        self.old = old
        self.new = new
        var comparer = ContractComparer()
        comparer.compare(old, new)
        self.changes = comparer.changes.sorted { one, other in
            one.level == other.level ? one.place < other.place : one.level > other.level
        }
    }

    /// The largest change; `nil` when there is none.
    package var level: ContractChange.Level? { self.changes.map(\.level).max() }

    /// The change that the two numbers announce; `nil` when the new one is not higher.
    package var announced: ContractChange.Level? {
        guard self.new.version > self.old.version else { return nil }
        if self.new.version.major != self.old.version.major { return .major }
        return self.new.version.minor != self.old.version.minor ? .minor : .patch
    }

    /// Why the numbers are wrong; `nil` when they say what changed, or more.
    package var problem: LocalizedText? {
        guard let level else { return nil }
        guard let announced else {
            return LocalizedText(
                vi: "có thay đổi mức \(level) nhưng phiên bản \(self.new.version) không cao hơn \(self.old.version)",
                en: "there is a \(level) change, and version \(self.new.version) is not higher than \(self.old.version)"
            )
        }
        guard level > announced else { return nil }
        return LocalizedText(
            vi: "từ \(self.old.version) lên \(self.new.version) là mức \(announced), nhưng có thay đổi mức \(level); "
                + "phải thành \(self.version(for: level))",
            en: "\(self.old.version) to \(self.new.version) is a \(announced) step, and there is a \(level) change; "
                + "it must be \(self.version(for: level))"
        )
    }

    private func version(for level: ContractChange.Level) -> ContractVersion {
        let old = self.old.version
        switch level {
        case .patch: return ContractVersion(major: old.major, minor: old.minor, patch: old.patch + 1)
        case .minor: return ContractVersion(major: old.major, minor: old.minor + 1, patch: 0)
        case .major: return ContractVersion(major: old.major + 1, minor: 0, patch: 0)
        }
    }
}
