package import CampusModel

/// Something about a device that no wire tells: how its switches are set, which variant it is.
///
/// Chosen in `site.yaml` by whoever installs the device.
package struct SettingDefinition: Sendable, Hashable {
    /// One of the choices.
    package struct Option: Sendable, Hashable {
        package var value: String
        package var label: LocalizedText
    }

    package var name: String
    package var title: LocalizedText
    package var options: [Option]
    /// What holds where the site says nothing; `nil`: it must say.
    package var standard: String?
}

/// Under which settings a part of a profile holds (`only`); an empty one always does.
struct SettingCondition: Sendable, Hashable {
    /// The accepted options by setting, all of which must fit.
    var accepted: [String: Set<String>] = [:]

    func holds(_ choices: [String: String]) -> Bool {
        self.accepted.allSatisfy { name, options in choices[name].map { options.contains($0) } ?? false }
    }
}

/// Why a profile cannot be taken for a device as the site describes it.
package struct ProfileSettingError: Error, Hashable, CustomStringConvertible {
    package var vi: String
    package var en: String

    package var description: String { self.en }
}
