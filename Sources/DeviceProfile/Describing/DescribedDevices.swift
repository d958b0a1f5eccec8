package import CampusModel

/// What a family that describes itself told about its devices: a profile for each model, an address for each device,
/// and what could not be taken.
package struct DescribedDevices: Sendable {
    /// A device that can be adopted as it is.
    package struct Device: Sendable, Hashable {
        /// As its family calls it.
        package var name: String
        /// What stays when the device is renamed, such as its IEEE address; empty when it was not told.
        package var hardware: String
        /// The identifier of its profile, one of ``DescribedDevices/profiles``.
        package var profile: String
        /// What the profile's topics ask for.
        package var parameters: [String: String]
    }

    /// A model, as a profile that the strict reader has taken and whose golden case passes.
    package struct Model: Sendable {
        package var profile: DeviceProfile
        /// The text of the file `<id>.yaml`.
        package var yaml: String
        /// Values that the description names and the profile does not have.
        package var leftOut: [LeftOut]
    }

    /// Something that was told and not taken.
    package struct LeftOut: Sendable, Hashable {
        /// The value or device, bounded in length.
        package var name: String
        /// Why, and what can be done.
        package var reason: LocalizedText

        package init(_ name: String, vi: String, en: String) {
            self.name = DescriptionText.cleaned(name, charactersMax: 80)
            self.reason = LocalizedText(vi: vi, en: en)
        }

        /// A device of whose description no valid profile can be made.
        package init(unprovenProfileOf name: String, _ error: DescriptionError) {
            self.init(
                name,
                vi: "không tạo được hồ sơ đúng: \(error.description)",
                en: "no valid profile can be made of it: \(error.description)"
            )
        }
    }

    package var devices: [Device] = []
    package var profiles: [Model] = []
    /// Devices that could not be taken.
    package var leftOut: [LeftOut] = []
}

/// Why a description could not be read at all.
package struct DescriptionError: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// Texts from outside, made fit for files and pages.
enum DescriptionText {
    /// One line without control characters, at most `charactersMax` characters, no blanks around it.
    static func cleaned(_ text: String, charactersMax: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(charactersMax * 4) {
            scalars.append(self.isPlain(scalar) ? scalar : " ")
        }
        let words = String(scalars).split(separator: " ")
        let line = String(words.joined(separator: " ").prefix(charactersMax))
        // A character may have any number of combining marks.
        return String(String.UnicodeScalarView(line.unicodeScalars.prefix(charactersMax * 4)))
    }

    /// Whether a text may stand in a file exactly as it is.
    static func isPlain(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(self.isPlain) }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// An identifier made of a text: what is not `a–z 0–9 . _` becomes `-`; may be empty.
    static func identifier(_ text: String, charactersMax: Int) -> String {
        var result = ""
        for scalar in text.lowercased().unicodeScalars.prefix(512) {
            guard result.utf8.count < charactersMax else { break }
            switch scalar {
            case "a"..."z", "0"..."9": result.unicodeScalars.append(scalar)
            case "_", ".": if !result.isEmpty { result.unicodeScalars.append(scalar) }
            default: if !result.isEmpty, result.last != "-" { result.append("-") }
            }
        }
        while let last = result.last, "-_.".contains(last) { result.removeLast() }
        return result
    }
}
