package import DeviceProfile
internal import Foundation
internal import StrictYAML

/// Why the configuration cannot be used: one line for each problem, with file, line and remedy.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String
}

/// Everything that the configuration files say, read together.
package struct ConfigurationFiles: Sendable {
    /// Where `gateway.yaml` is; `nil` when the files were not read from one.
    package var path: String?
    package var gateway: GatewayConfiguration
    package var site: SiteDefinition
    package var library: ProfileLibrary
    /// Devices of the site whose profile is missing or whose address does not fit it; they are left out.
    package var problems: [String]

    /// Reads `gateway.yaml` and what it names.
    ///
    /// - Throws: ``ConfigurationError`` with one line for each problem of `gateway.yaml` or `site.yaml`.
    package static func read(path: String) throws(ConfigurationError) -> ConfigurationFiles {
        var files = try self.read(gateway: try self.gateway(path: path))
        files.path = path
        return files
    }

    /// Reads everything anew for a gateway that runs.
    ///
    /// Keys of `gateway.yaml` that need a restart stay as they are in `running`, and a problem says so.
    package static func read(
        again files: ConfigurationFiles,
        running: GatewayConfiguration
    ) throws(ConfigurationError) -> ConfigurationFiles {
        guard let path = files.path else { return try self.read(gateway: running) }
        let written = try self.gateway(path: path)
        var taken = running
        taken.exporters = written.exporters
        taken.siteFile = written.siteFile
        taken.profileFolders = written.profileFolders
        var result = try self.read(gateway: taken)
        result.path = path
        if taken != written {
            result.problems.append(
                "\(path): something has changed that needs a restart (see ↻ in docs/configuration.md)"
            )
        }
        return result
    }

    private static func gateway(path: String) throws(ConfigurationError) -> GatewayConfiguration {
        let yaml = try self.text(of: path)
        do throws(YAMLProblems) {
            return try GatewayConfiguration.read(yaml: yaml, file: path)
        } catch {
            throw ConfigurationError(description: error.description)
        }
    }

    /// Reads the site, the adopted devices and the profiles anew.
    package static func read(gateway: GatewayConfiguration) throws(ConfigurationError) -> ConfigurationFiles {
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
        let library = ProfileLibrary(folders: gateway.profileFolders)
        var problems = library.problems.map(\.description) + self.unreadable(gateway)
        for device in site.devices {
            if let problem = self.problem(of: device, library) {
                problems.append("\(gateway.siteFile):\(device.line): device \(device.id): \(problem)")
            }
        }
        return ConfigurationFiles(path: nil, gateway: gateway, site: site, library: library, problems: problems)
    }

    /// Files of certificates and passwords that `gateway.yaml` names and that cannot be read.
    private static func unreadable(_ gateway: GatewayConfiguration) -> [String] {
        let broker = gateway.broker
        let named: [(key: String, path: String?)] = [
            ("web.tls.certificate", gateway.web.tls?.certificate), ("web.tls.key", gateway.web.tls?.key),
            ("broker.tls.certificate", broker.certificate?.certificate), ("broker.tls.key", broker.certificate?.key),
            ("broker.tls.authority", broker.authorityFile), ("broker.passwordFile", broker.passwordFile),
        ]
        let exporters = gateway.exporters.flatMap { exporter in
            exporter.files.map { (key: "exporters \(exporter.name).\($0.key)", path: $0.path) }
        }
        return (named + exporters)
            .compactMap { key, path in
                guard let path, !FileManager.default.isReadableFile(atPath: path) else { return nil }
                return "\(key): \(path) cannot be read; does it exist, and may this user read it?"
            }
    }

    /// Where devices that were adopted from the quarantine are kept.
    package static func adoptedFile(_ gateway: GatewayConfiguration) -> String { "\(gateway.stateFolder)/adopted.yaml" }

    private static func problem(of device: SiteDefinition.Device, _ library: ProfileLibrary) -> String? {
        guard let entry = library[device.profile] else {
            let hint =
                NearestWord.suggestion(for: device.profile, among: library.profiles.map(\.id))
                .map { "; did you mean '\($0)'?" } ?? ""
            return "there is no profile called '\(device.profile)'\(hint)"
        }
        switch (entry.profile.wire, device.address) {
        case (.modbus, .modbus): return nil
        case (.mqtt, .mqtt(let parameters)):
            do throws(MessageDecoderError) {
                _ = try MessageDecoder(
                    profile: entry.profile,
                    device: device.id,
                    parameters: parameters,
                    zonelessOffsetSeconds: 0
                )
                return nil
            } catch {
                return error.description
            }
        case (.modbus, .mqtt): return "profile '\(device.profile)' is for Modbus; give the device a 'bus'"
        case (.mqtt, .modbus): return "profile '\(device.profile)' is for MQTT; give the device 'parameters', not a bus"
        }
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
