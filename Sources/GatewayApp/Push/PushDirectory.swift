internal import Acquisition
internal import DeviceProfile
internal import Foundation
internal import SiteConfiguration

/// Which requests devices make, and whose they are: made anew with every configuration.
struct PushDirectory: Sendable {
    /// A request that fits a profile.
    struct Request: Sendable {
        var route: HTTPWire.Route
        var match: HTTPWire.Match
        /// The device, if the site has it.
        var runtime: DeviceRuntime?
        /// Whether the device proved itself, or cannot.
        var isProven: Bool
    }

    private struct Member: Sendable {
        var runtime: DeviceRuntime
        var secretFile: String?
    }

    /// By identifier of the profile.
    private let wires: [(profile: String, wire: HTTPWire)]
    private let members: [String: Member]

    /// Nobody and nothing.
    init() {
        self.wires = []
        self.members = [:]
    }

    init(files: ConfigurationFiles, devices: [DeviceRuntime]) {
        self.wires = files.library.profiles
            .compactMap { profile in
                guard case .http(let wire) = profile.wire else { return nil }
                return (profile.id, wire)
            }
            .sorted { $0.profile < $1.profile }
        let secrets = Dictionary(
            files.site.devices.map { ($0.id, files.secretFile(of: $0)) },
            uniquingKeysWith: { first, _ in first }
        )
        var members: [String: Member] = [:]
        for runtime in devices {
            guard case .http(let serial) = runtime.device.address else { continue }
            members["\(runtime.device.profile.id) \(serial)"] = Member(
                runtime: runtime,
                secretFile: secrets[runtime.device.id] ?? nil
            )
        }
        self.members = members
    }

    /// What a request is; `nil` when no profile knows it.
    func request(method: String, target: String) -> Request? {
        for (profile, wire) in self.wires {
            guard let match = wire.match(method: method, target: target) else { continue }
            let route = wire.routes[match.route]
            let member = self.members["\(profile) \(match.serial)"]
            return Request(
                route: route,
                match: match,
                runtime: member?.runtime,
                isProven: !route.hasSecret || Self.isSecret(match.secret, in: member?.secretFile)
            )
        }
        return nil
    }

    /// Compares without telling by its time how much was right.
    private static func isSecret(_ text: String?, in file: String?) -> Bool {
        guard let text, let file, let content = try? String(contentsOfFile: file, encoding: .utf8) else { return false }
        let expected = Array(content.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
        let found = Array(text.utf8)
        guard !expected.isEmpty, expected.count == found.count else { return false }
        return zip(expected, found).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
