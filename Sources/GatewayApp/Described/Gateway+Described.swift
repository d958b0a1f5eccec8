internal import CampusModel
internal import DeviceProfile
internal import Foundation
internal import SchoolRecords
internal import SiteConfiguration

/// What people decide about described devices.
extension Gateway {
    /// Makes a device of a described one: writes its profile and the device down, and takes both up.
    ///
    /// - Throws: ``GatewayError``; then everything is as it was.
    func adopt(described key: String, device id: String, node: String, actor: String) throws {
        guard let view = self.describedView(key) else { throw Self.isGone(key) }
        guard view.state == .waiting || view.state == .refused else {
            throw GatewayError(
                vi: view.device.map { "Đã là thiết bị '\($0)'." } ?? "Mô tả không có giá trị nào đọc được.",
                en: view.device.map { "it is the device '\($0)' already" } ?? "it describes no value that can be read"
            )
        }
        do { try IdentifierRule.check(id, kind: "device") } catch {
            throw GatewayError(
                vi: "Mã thiết bị gồm a-z, 0-9, '-', '_', '.', bắt đầu bằng chữ hoặc số, dài nhất 64 ký tự.",
                en: error.description
            )
        }
        let site = self.site
        guard !site.devices.contains(where: { $0.id.rawValue == id }) else {
            throw GatewayError(vi: "Đã có thiết bị tên '\(id)'.", en: "there is a device called '\(id)' already")
        }
        guard site.nodes.contains(where: { $0.id.rawValue == node }) else {
            throw GatewayError(vi: "Không có phòng tên '\(node)'.", en: "there is no room called '\(node)'")
        }
        let profile = try self.profile(for: view.entry.device)
        try self.write(profile, actor: actor) { adopted in
            adopted.append(AdoptedFile.line(device: id, node: node, profile: profile.id, view.entry.device))
        }
        if self.described.isRefused(key) {
            try self.state.write(self.described.refuse(key, false), to: "described-refused")
        }
        try self.records.audit(
            actor: actor,
            action: "adopt",
            subject: id,
            detail: ["profile": profile.id, "node": node, "described": key]
        )
    }

    /// Reads an adopted device as it describes itself now.
    func accept(described key: String, actor: String) throws {
        guard let view = self.describedView(key) else { throw Self.isGone(key) }
        guard view.state == .changed, let device = self.site.devices.first(where: { $0.describedBy == key }) else {
            throw GatewayError(vi: "Mô tả không có gì khác.", en: "there is no difference to accept")
        }
        let profile = try self.profile(for: view.entry.device)
        let node = device.node.rawValue
        let line = AdoptedFile.line(device: device.id.rawValue, node: node, profile: profile.id, view.entry.device)
        let site = self.configuration.siteFile
        try self.write(profile, actor: actor) { adopted throws(GatewayError) in
            guard adopted.replace(device: device.id.rawValue, with: line) else {
                throw GatewayError(
                    vi: "Thiết bị '\(device.id)' nằm trong \(site):\(device.line); "
                        + "hãy tải hồ sơ mới về và sửa 'profile' ở đó.",
                    en:
                        "device '\(device.id)' stands in \(site):\(device.line); export the new profile and write it there"
                )
            }
        }
        try self.records.audit(
            actor: actor,
            action: "accept-description",
            subject: device.id.rawValue,
            detail: ["profile": profile.id, "was": device.profile, "described": key]
        )
    }

    /// Nobody wants this device, or it is wanted again.
    func refuse(described key: String, _ isRefused: Bool, actor: String) throws {
        guard let view = self.describedView(key) else { throw Self.isGone(key) }
        guard !isRefused || view.device == nil else {
            throw GatewayError(vi: "Đã là một thiết bị.", en: "it is a device already")
        }
        try self.state.write(self.described.refuse(key, isRefused), to: "described-refused")
        try self.records.audit(
            actor: actor,
            action: isRefused ? "refuse-description" : "unrefuse-description",
            subject: key,
            detail: ["name": view.entry.device.name]
        )
    }

    /// Takes a device off the list until it announces itself again.
    func forget(described key: String, actor: String) throws {
        guard self.described.forget(key) else { throw Self.isGone(key) }
        try self.records.audit(actor: actor, action: "forget-description", subject: key, detail: [:])
    }

    /// The profile of a described device as a file.
    func profileText(described key: String) throws -> String {
        guard let view = self.describedView(key) else { throw Self.isGone(key) }
        if let device = self.site.devices.first(where: { $0.describedBy == key }), view.state == .adopted,
            let entry = self.files.library[device.profile]
        {
            return entry.revision
        }
        return try self.profile(for: view.entry.device).yaml
    }

    private static func isGone(_ key: String) -> GatewayError {
        GatewayError(
            vi: "Không còn thiết bị tự mô tả '\(key)'; nó chưa báo lại từ khi bị quên hoặc gateway khởi động.",
            en: "there is no described device '\(key)'; it has not announced itself since it was forgotten or the start"
        )
    }

    private struct MadeProfile {
        var id: String
        var yaml: String
        /// Whether the file is there already.
        var isKept: Bool
    }

    /// The profile of a description: one that was made before of the same, else a new one.
    private func profile(for device: DescribedDevice) throws(GatewayError) -> MadeProfile {
        guard let draft = device.draft else {
            throw GatewayError(vi: "Mô tả không có giá trị nào đọc được.", en: "it describes no value that can be read")
        }
        let library = self.files.library
        let folder = ConfigurationFiles.describedFolder(self.configuration) + "/"
        for (id, entry) in library.entries where entry.file.hasPrefix(folder) && id.hasPrefix(draft.baseIdentifier) {
            if entry.revision == draft.yaml(id: id) { return MadeProfile(id: id, yaml: entry.revision, isKept: true) }
        }
        let id = draft.freeIdentifier {
            library[$0] != nil || FileManager.default.fileExists(atPath: "\(folder)\($0).yaml")
        }
        do throws(DescriptionError) {
            return MadeProfile(id: id, yaml: try draft.proven(id: id).yaml, isKept: false)
        } catch {
            throw GatewayError(
                vi: "Không tạo được hồ sơ đúng từ mô tả: \(error.description)",
                en: "no valid profile can be made of the description: \(error.description)"
            )
        }
    }

    /// Writes profile and adopted devices, and reads everything anew; puts both back when that fails.
    private func write(
        _ profile: MadeProfile,
        actor: String,
        change: (inout AdoptedFile) throws(GatewayError) -> Void
    ) throws {
        let folder = ConfigurationFiles.describedFolder(self.configuration)
        let file = ConfigurationFiles.adoptedFile(self.configuration)
        let before = try? String(contentsOfFile: file, encoding: .utf8)
        var adopted = AdoptedFile(text: before)
        try change(&adopted)
        if !profile.isKept {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try self.state.write(profile.yaml, to: "described/\(profile.id).yaml")
        }
        do {
            try self.state.write(adopted.text, to: "adopted.yaml")
            try self.reload(actor: actor)
        } catch {
            if let before { try self.state.write(before, to: "adopted.yaml") } else { unlink(file) }
            if !profile.isKept { unlink("\(folder)/\(profile.id).yaml") }
            throw error
        }
    }
}

/// The text of `adopted.yaml`, of which each device is one line.
struct AdoptedFile {
    private(set) var text: String

    init(text: String?) { self.text = text ?? "# Devices adopted from the quarantine.\ndevices:\n" }

    mutating func append(_ line: String) {
        if !self.text.hasSuffix("\n") { self.text += "\n" }
        self.text += line + "\n"
    }

    /// Puts another line in the place of a device's; `false` when it has none here.
    mutating func replace(device: String, with line: String) -> Bool {
        var lines = self.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = "  - {id: \(Gateway.quoted(device)),"
        guard let index = lines.firstIndex(where: { $0.hasPrefix(start) }) else { return false }
        lines[index] = line
        self.text = lines.joined(separator: "\n")
        return true
    }

    /// A device as it would stand in `site.yaml`.
    static func line(device: String, node: String, profile: String, _ described: DescribedDevice) -> String {
        var parts = [
            "id: \(Gateway.quoted(device))", "node: \(Gateway.quoted(node))", "profile: \(Gateway.quoted(profile))",
        ]
        if !described.name.isEmpty {
            let name = Gateway.quoted(described.name)
            parts.append("name: {vi: \(name), en: \(name)}")
        }
        switch described.address {
        case .mqtt(let parameters):
            let pairs = parameters.sorted { $0.key < $1.key }.map { "\($0.key): \(Gateway.quoted($0.value))" }
            parts.append("parameters: {\(pairs.joined(separator: ", "))}")
        case .modbus(let bus, let unit): parts += ["bus: \(Gateway.quoted(bus))", "unit: \(unit)"]
        }
        if let report = described.reportMilliseconds { parts.append("report: \(report / 1_000)s") }
        parts.append("described: \(Gateway.quoted(described.key))")
        return "  - {\(parts.joined(separator: ", "))}"
    }
}
