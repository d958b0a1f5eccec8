internal import CampusModel
package import DeviceProfile

/// Compares samples with what the contract makes of them now, and with what profiles read from them.
package enum SampleCheck {
    /// What does not come out as a file of samples says, one line each with file and line.
    ///
    /// - Parameters:
    ///   - samples: Those of any minor version up to the contract's.
    ///   - entry: The newest version and those before it.
    ///   - profiles: Where the values are read; `nil` looks at the payloads only.
    package static func problems(
        of samples: ContractSamples,
        _ entry: ContractLibrary.Entry,
        profiles: [DeviceProfile]?
    ) -> [String] {
        let validator = ContractValidator(contract: entry.contract, older: entry.older.map(\.version))
        return samples.samples.flatMap { sample -> [String] in
            let place = "\(samples.file):\(sample.line): \(sample.name)"
            var problems = self.differences(sample, validator).map { "\(place): \($0)" }
            if let profiles, problems.isEmpty, sample.saysValues, let name = sample.profile {
                problems += self.values(sample, name, entry.contract, profiles).map { "\(place): \($0)" }
            }
            return problems
        }
    }

    private static func differences(_ sample: ContractSamples.Sample, _ validator: ContractValidator) -> [String] {
        switch validator.check(topic: sample.topic, payload: sample.payload) {
        case .notCovered: return ["the topic '\(sample.topic)' is in no channel of \(validator.contract.name)"]
        case .valid(let index):
            let found = validator.contract.messages[index].name
            guard let expected = sample.message else { return ["is valid as '\(found)', but should not be"] }
            return expected == found ? [] : ["is the message '\(found)', expected '\(expected)'"]
        case .violation(let violation):
            let lines = violation.lines(in: .en)
            guard sample.message == nil else { return lines }
            return lines == sample.differences
                ? [] : ["the differences are \(lines), expected \(sample.differences)"]
        }
    }

    private static func values(
        _ sample: ContractSamples.Sample,
        _ name: String,
        _ contract: FirmwareContract,
        _ profiles: [DeviceProfile]
    ) -> [String] {
        guard var profile = profiles.first(where: { $0.id == name }) else {
            return ["there is no profile called '\(name)'"]
        }
        guard profile.contract == contract.name.description else {
            let claimed = profile.contract.map { "names \($0)" } ?? "names none"
            return ["the profile '\(name)' must name the contract \(contract.name); it \(claimed)"]
        }
        var parameters: [String: String] = [:]
        for channel in contract.channels {
            parameters.merge(channel.address.parameters(from: sample.topic) ?? [:]) { first, _ in first }
        }
        // A profile's other topics may have placeholders that this one does not tell.
        if case .mqtt(let wire) = profile.wire {
            for name in wire.messages.flatMap(\.topic.parameterNames) where parameters[name] == nil {
                parameters[name] = name
            }
        }
        profile.tests = [sample.goldenCase(parameters: parameters)]
        return GoldenRunner.run(profile).map { "profile '\(name)': \($0.message)" }
    }
}
