extension DeviceProfile {
    /// The profile as it holds for one device.
    ///
    /// - Parameters:
    ///   - settings: An option by setting; settings that are left out have their default.
    ///   - addressOffset: Added to every Modbus address: where this unit's registers begin in a bridge or concentrator.
    package func configured(
        settings: [String: String],
        addressOffset: Int = 0
    ) throws(ProfileSettingError) -> DeviceProfile {
        var profile = self
        let choices = try self.choices(settings)
        if let template {
            do throws(ProfileTemplate.Problem) {
                let resolved = try template.resolved(choices)
                profile.wire = resolved.wire
                profile.points = resolved.points
                profile.events = resolved.events
                profile.controls = resolved.controls
            } catch {
                // The reader has tried every combination.
                throw ProfileSettingError(vi: error.message, en: error.message)
            }
            profile.choices = choices
        }
        if addressOffset != 0 { try profile.shift(by: addressOffset) }
        return profile
    }

    /// The profile in every combination of its settings; itself alone where it has none.
    package var variants: [DeviceProfile] {
        guard !self.settings.isEmpty else { return [self] }
        return self.settings.combinations.compactMap { choices in
            // The reader has tried every combination.
            do throws(ProfileSettingError) { return try self.configured(settings: choices) } catch { return nil }
        }
    }

    private func choices(_ settings: [String: String]) throws(ProfileSettingError) -> [String: String] {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard let setting = self.settings.first(where: { $0.name == name }) else {
                let known = self.settings.map(\.name).joined(separator: ", ")
                throw ProfileSettingError(
                    vi: "hồ sơ '\(self.id)' không có mục cài đặt '\(name)' (có: \(known.isEmpty ? "không" : known))",
                    en: "profile '\(self.id)' has no setting '\(name)' (it has: \(known.isEmpty ? "none" : known))"
                )
            }
            guard setting.options.contains(where: { $0.value == value }) else {
                let known = setting.options.map(\.value).joined(separator: ", ")
                throw ProfileSettingError(
                    vi: "cài đặt '\(name)' là '\(value)'; phải là một trong: \(known)",
                    en: "setting '\(name)' is '\(value)'; it must be one of \(known)"
                )
            }
        }
        var choices: [String: String] = [:]
        for setting in self.settings {
            guard let value = settings[setting.name] ?? setting.standard else {
                let known = setting.options.map(\.value).joined(separator: ", ")
                throw ProfileSettingError(
                    vi: "hồ sơ '\(self.id)' cần 'settings: {\(setting.name): …}', một trong: \(known)",
                    en: "profile '\(self.id)' needs 'settings: {\(setting.name): …}', one of \(known)"
                )
            }
            choices[setting.name] = value
        }
        return choices
    }

    private mutating func shift(by offset: Int) throws(ProfileSettingError) {
        guard case .modbus(var wire) = self.wire else {
            throw ProfileSettingError(
                vi: "'addressOffset' chỉ dành cho Modbus",
                en: "'addressOffset' is for Modbus only"
            )
        }
        var isInside = true
        func shifted(_ address: UInt16, _ count: Int = 1) -> UInt16 {
            let moved = Int(address) + offset
            if moved < 0 || moved + count > 65_536 { isInside = false }
            return UInt16(clamping: moved)
        }
        func shifted(_ source: RegisterSource) -> RegisterSource {
            var source = source
            source.address = shifted(source.address, source.addressCount)
            return source
        }
        for index in self.points.indices {
            if case .register(let source) = self.points[index].source {
                self.points[index].source = .register(shifted(source))
            }
        }
        for index in self.events.indices {
            guard
                case .registers(var flag, let sequence, var clear, let isChange, let poll, var fields) =
                    self.events[index].capture
            else { continue }
            if let found = flag { flag?.address = shifted(found.address) }
            if let found = clear { clear?.address = shifted(found.address) }
            for field in fields.indices {
                fields[field].source = shifted(fields[field].source)
                fields[field].lengthFrom = fields[field].lengthFrom.map { shifted($0) }
            }
            self.events[index].capture = .registers(
                newFlag: flag,
                sequence: sequence.map { shifted($0) },
                clear: clear,
                isChange: isChange,
                poll: poll,
                fields: fields
            )
        }
        for index in self.controls.indices {
            if case .register(let source, let isMultiple) = self.controls[index].target {
                self.controls[index].target = .register(shifted(source), isMultiple: isMultiple)
            }
        }
        if let feed = self.failsafe?.feed { self.failsafe?.feed?.source = shifted(feed.source) }
        for index in wire.forbidden.indices {
            // A forbidden range may reach beyond the tables.
            wire.forbidden[index].from = UInt16(clamping: Int(wire.forbidden[index].from) + offset)
            wire.forbidden[index].to = UInt16(clamping: Int(wire.forbidden[index].to) + offset)
        }
        self.wire = .modbus(wire)
        guard isInside else {
            throw ProfileSettingError(
                vi: "'addressOffset' \(offset) đẩy địa chỉ ra ngoài 0–65535",
                en: "'addressOffset' \(offset) moves addresses out of 0 to 65535"
            )
        }
    }
}
