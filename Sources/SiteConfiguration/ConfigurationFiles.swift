package import AlertRules
internal import CampusModel
package import DeviceProfile
package import FirmwareContract
internal import Foundation
internal import StrictYAML

/// Why the configuration cannot be used: one line for each problem, with file, line and remedy.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// Everything that the configuration files say, read together.
package struct ConfigurationFiles: Sendable {
    /// Path of `gateway.yaml`.
    package var path: String
    package var gateway: GatewayConfiguration
    package var site: SiteDefinition
    package var library: ProfileLibrary
    package var contracts: ContractLibrary
    /// The rules of alerts.
    package var rules: RuleLibrary
    /// Devices of the site whose profile is missing or whose address does not fit it, which are left out; files that
    /// cannot be read; after a reload also the keys that need a restart.
    package var problems: [ConfigurationProblem]

    /// Reads `gateway.yaml` and what it names.
    ///
    /// - Throws: ``ConfigurationError`` with one line for each problem of `gateway.yaml` or `site.yaml`.
    package static func read(path: String) throws(ConfigurationError) -> ConfigurationFiles {
        try self.read(path: path, gateway: try self.gateway(path), lastGood: nil)
    }

    /// Reads everything anew for a gateway that runs already: what needs a restart stays as it was and is a problem.
    package func reread() throws(ConfigurationError) -> ConfigurationFiles {
        let (merged, needRestart) = self.gateway.takingUp(try Self.gateway(self.path))
        var files = try Self.read(path: self.path, gateway: merged, lastGood: self)
        files.problems += needRestart.map { key in
            ConfigurationProblem(
                self.path,
                vi: "\(key) đã thay đổi; hãy khởi động lại gateway để áp dụng",
                en: "\(key) has changed; restart the gateway to take it up"
            )
        }
        return files
    }

    private static func gateway(_ path: String) throws(ConfigurationError) -> GatewayConfiguration {
        let yaml = try self.text(of: path)
        do throws(YAMLProblems) {
            return try GatewayConfiguration.read(yaml: yaml, file: path)
        } catch {
            throw ConfigurationError(description: error.description)
        }
    }

    /// Reads the site, the adopted devices, the profiles and the contracts.
    ///
    /// What of profiles and contracts cannot be read stays as in `lastGood`.
    private static func read(
        path: String,
        gateway: GatewayConfiguration,
        lastGood: ConfigurationFiles?
    ) throws(ConfigurationError) -> ConfigurationFiles {
        let siteText = try self.text(of: gateway.siteFile)
        let adoptedFile = self.adoptedFile(gateway)
        let adoptedText = FileManager.default.fileExists(atPath: adoptedFile) ? try self.text(of: adoptedFile) : nil
        let site: SiteDefinition
        do throws(YAMLProblems) {
            var read = try SiteDefinition.read(yaml: siteText, file: gateway.siteFile)
            if let adoptedText { try read.add(adopted: adoptedText, file: adoptedFile) }
            site = read
        } catch {
            throw ConfigurationError(description: error.description)
        }
        var library = ProfileLibrary(folders: self.profileFolders(gateway))
        var contracts = ContractLibrary(folders: gateway.contractFolders)
        let kept = lastGood.map { files in
            library.keepLastGood(of: files.library)
                + contracts.keepLastGood(of: files.contracts).map(\.description)
        }
        var problems = library.problems.map { problem in
            ConfigurationProblem(
                vi: "Hồ sơ thiết bị có lỗi và bị bỏ qua: \(problem.description)",
                en: problem.description
            )
        }
        problems += self.problems(of: contracts, kept: kept ?? [])
        var rules = RuleLibrary(folders: gateway.ruleFolders)
        problems += self.problems(of: rules, kept: lastGood.map { rules.keepLastGood(of: $0.rules) } ?? [])
        problems += self.unreadable(gateway)
        for device in site.devices {
            if let text = self.problem(of: device, site, library) {
                problems.append(
                    ConfigurationProblem(
                        "\(gateway.siteFile):\(device.line)",
                        vi: "thiết bị \(device.id): \(text.vi)",
                        en: "device \(device.id): \(text.en)"
                    )
                )
            }
        }
        let files = ConfigurationFiles(
            path: path,
            gateway: gateway,
            site: site,
            library: library,
            contracts: contracts,
            rules: rules,
            problems: problems
        )
        return files.checkingContracts().checkingSchedules()
    }

    /// Files of certificates and passwords that `gateway.yaml` names and that cannot be read.
    private static func unreadable(_ gateway: GatewayConfiguration) -> [ConfigurationProblem] {
        let broker = gateway.broker
        let named: [(key: String, path: String?)] = [
            ("web.tls.certificate", gateway.web.tls?.certificate), ("web.tls.key", gateway.web.tls?.key),
            ("broker.tls.certificate", broker.certificate?.certificate), ("broker.tls.key", broker.certificate?.key),
            ("broker.tls.authority", broker.authorityFile), ("broker.passwordFile", broker.passwordFile),
            ("push.tls.certificate", gateway.push?.tls?.certificate), ("push.tls.key", gateway.push?.tls?.key),
        ]
        let exporters = gateway.exporters.flatMap { exporter in
            exporter.files.map { (key: "exporters \(exporter.name).\($0.key)", path: $0.path) }
        }
        return (named + exporters)
            .compactMap { key, path in
                guard let path, !FileManager.default.isReadableFile(atPath: path) else { return nil }
                return ConfigurationProblem(
                    key,
                    vi: "không đọc được \(path); tệp có ở đó không, và người dùng này có quyền đọc không?",
                    en: "\(path) cannot be read; does it exist, and may this user read it?"
                )
            }
    }

    /// Where devices that were adopted from the quarantine are kept.
    package static func adoptedFile(_ gateway: GatewayConfiguration) -> String { "\(gateway.stateFolder)/adopted.yaml" }

    /// Where profiles that were made of descriptions are kept.
    package static func describedFolder(_ gateway: GatewayConfiguration) -> String {
        "\(gateway.stateFolder)/described"
    }

    /// The operator's folders are later, so their files count where two have one name.
    private static func profileFolders(_ gateway: GatewayConfiguration) -> [String] {
        let described = self.describedFolder(gateway)
        return (FileManager.default.fileExists(atPath: described) ? [described] : []) + gateway.profileFolders
    }

    /// The edge nodes that this gateway itself is for its exporters.
    package var sparkplugNodes: [(group: String, node: String)] {
        self.gateway.exporters.compactMap { exporter in
            guard case .sparkplugB(let target) = exporter.target else { return nil }
            return (target.group, target.node ?? self.site.id.rawValue)
        }
    }

    /// The profiles that are suggested for messages of strangers; those of described devices are offered with them.
    package var suggestedProfiles: [DeviceProfile] {
        let folder = Self.describedFolder(self.gateway) + "/"
        return self.library.profiles.filter { self.library[$0.id]?.file.hasPrefix(folder) != true }
    }

    /// The profile of a device as it holds for it; `nil` when there is none or its settings do not fit.
    package func profile(of device: SiteDefinition.Device) -> DeviceProfile? {
        try? self.library[device.profile]?.profile
            .configured(settings: device.settings, addressOffset: device.addressOffset)
    }

    private static func problem(
        of device: SiteDefinition.Device,
        _ site: SiteDefinition,
        _ library: ProfileLibrary
    ) -> LocalizedText? {
        let name = device.profile
        guard let entry = library[name] else {
            let near = NearestWord.suggestion(for: name, among: library.profiles.map(\.id))
            return LocalizedText(
                vi: "không có hồ sơ '\(name)'\(near.map { "; có phải '\($0)' không?" } ?? "")",
                en: "there is no profile called '\(name)'\(near.map { "; did you mean '\($0)'?" } ?? "")"
            )
        }
        let profile: DeviceProfile
        do throws(ProfileSettingError) {
            profile = try entry.profile.configured(settings: device.settings, addressOffset: device.addressOffset)
        } catch {
            return LocalizedText(vi: error.vi, en: error.en)
        }
        switch (profile.wire, device.address) {
        case (.modbus, .bus(let bus, _)), (.line, .bus(let bus, _)): return site.problem(of: profile, on: bus)
        case (.mqtt, .mqtt(let parameters)), (.http, .mqtt(let parameters)):
            if let text = self.problem(of: device, profile, parameters) { return text }
            do throws(MessageDecoderError) {
                _ = try MessageDecoder(
                    profile: profile,
                    device: device.id,
                    parameters: parameters,
                    zonelessOffsetSeconds: 0
                )
                return nil
            } catch {
                return LocalizedText(
                    vi: "tham số không hợp với hồ sơ '\(name)' (\(error.description))",
                    en: error.description
                )
            }
        case (.line, .mqtt):
            return LocalizedText(
                vi: "hồ sơ '\(name)' dành cho thiết bị hỏi đáp từng dòng; hãy khai báo 'bus' có 'line' cho thiết bị",
                en: "profile '\(name)' is asked line by line; give the device a 'bus' that has 'line'"
            )
        case (.modbus, .mqtt):
            return LocalizedText(
                vi: "hồ sơ '\(name)' dành cho Modbus; hãy khai báo 'bus' cho thiết bị",
                en: "profile '\(name)' is for Modbus; give the device a 'bus'"
            )
        case (.http, .bus):
            return LocalizedText(
                vi:
                    "hồ sơ '\(name)' dành cho thiết bị tự gửi qua HTTP; hãy khai báo 'parameters: {serial: …}', không phải 'bus'",
                en: "profile '\(name)' is for HTTP; give the device 'parameters: {serial: …}', not a bus"
            )
        case (.mqtt, .bus):
            return LocalizedText(
                vi: "hồ sơ '\(name)' dành cho MQTT; hãy khai báo 'parameters', không phải 'bus'",
                en: "profile '\(name)' is for MQTT; give the device 'parameters', not a bus"
            )
        }
    }

    /// What a device that pushes lacks.
    private static func problem(
        of device: SiteDefinition.Device,
        _ profile: DeviceProfile,
        _ parameters: [String: String]
    ) -> LocalizedText? {
        guard case .http(let wire) = profile.wire else {
            guard device.secretFile != nil else { return nil }
            return LocalizedText(
                vi: "'secretFile' chỉ dành cho thiết bị gửi qua HTTP",
                en: "'secretFile' is for devices that push over HTTP"
            )
        }
        let isSecret = wire.routes.contains(where: \.hasSecret)
        guard isSecret != (device.secretFile != nil) else { return nil }
        return isSecret
            ? LocalizedText(
                vi: "hồ sơ '\(profile.id)' cần 'secretFile': tệp chứa mã bí mật có trong đường dẫn của thiết bị",
                en: "profile '\(profile.id)' needs 'secretFile': a file with the secret that is in the device's path"
            )
            : LocalizedText(
                vi: "thiết bị theo hồ sơ '\(profile.id)' không gửi được mã bí mật; hãy bỏ 'secretFile'",
                en: "devices of profile '\(profile.id)' cannot send a secret; remove 'secretFile'"
            )
    }

    private static func text(of path: String) throws(ConfigurationError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError(
                description: "\(path): the file cannot be read; does it exist, and may this user read it?"
            )
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError(description: "\(path): not UTF-8 text")
        }
        return text
    }
}
