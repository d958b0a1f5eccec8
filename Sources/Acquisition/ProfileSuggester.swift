package import CampusModel
package import DeviceProfile

/// Tells which profiles would decode a message that no configured device claims.
package struct ProfileSuggester: Sendable {
    private let profiles: [DeviceProfile]

    /// Suggests from these profiles; those whose messages do not come by themselves are left out.
    package init(profiles: [DeviceProfile]) {
        self.profiles = profiles.filter { profile in
            switch profile.wire {
            case .mqtt, .http: true
            case .modbus, .line: false
            }
        }
    }

    /// At most five profiles whose topic matches and whose decoding gives at least one good value or event, the one
    /// that understands most first.
    package func suggestions(topic: String, payload: [UInt8], arrival: Tick) -> [Quarantine.Suggestion] {
        var found: [Quarantine.Suggestion] = []
        for profile in self.profiles {
            guard let wire = profile.messageWire else { continue }
            var best: Quarantine.Suggestion?
            for message in wire.messages {
                guard let parameters = message.topic.parameters(from: topic),
                    // A topic that names a card is about a person; it is no device's.
                    !parameters.values.contains(where: PayloadRedaction.hasCardNumber)
                else { continue }
                let all = self.completed(parameters, for: wire)
                guard
                    let decoder = try? MessageDecoder(
                        profile: profile,
                        device: DeviceID(rawValue: "candidate"),
                        parameters: all,
                        zonelessOffsetSeconds: 0
                    )
                else { continue }
                let outcome = decoder.decode(topic: topic, payload: payload, isRetained: false, arrival: arrival)
                guard case .decoded = outcome.status else { continue }
                let count = outcome.values.count { $0.quality.level != .bad } + outcome.events.count
                if count > (best?.pointCount ?? 0) {
                    best = Quarantine.Suggestion(profile: profile.id, parameters: all, pointCount: count)
                }
            }
            if let best { found.append(best) }
        }
        found.sort { ($1.pointCount, $0.profile) < ($0.pointCount, $1.profile) }
        return Array(found.prefix(5))
    }

    /// Other messages of the profile may need parameters that this topic does not tell; they keep their own name.
    private func completed(_ parameters: [String: String], for wire: MQTTWire) -> [String: String] {
        var all = parameters
        for template in wire.messages.map(\.topic) + [wire.availability?.topic].compactMap({ $0 }) {
            for name in template.parameterNames where all[name] == nil { all[name] = name }
        }
        return all
    }
}
