package import AlertRules
internal import CampusModel
package import DeviceProfile
internal import StrictYAML

extension ConfigurationFiles {
    /// What is wrong with rules, and what stays in use because its file cannot be read any more.
    static func problems(of rules: RuleLibrary, kept: [String]) -> [ConfigurationProblem] {
        rules.problems.map { problem in
            ConfigurationProblem(vi: "Luật cảnh báo có lỗi: \(problem.description)", en: problem.description)
        }
            + kept.map { name in
                ConfigurationProblem(
                    name,
                    vi: "tệp luật mới không đọc được; bản tốt trước đó vẫn đang được dùng",
                    en: "the new file of rules cannot be read; the last good one stays in use"
                )
            }
    }

    /// How often a device is heard of at least, milliseconds.
    package func reportMilliseconds(of device: SiteDefinition.Device, _ profile: DeviceProfile) -> Int64 {
        device.reportMilliseconds ?? self.heartbeatMilliseconds(of: profile) ?? self.gateway.polling.reportMilliseconds
    }

    /// The site as rules see it: every point with a history of every enabled device, sorted by name.
    package var watchedSite: WatchedSite {
        var points: [WatchedSite.Point] = []
        for device in self.site.devices where device.isEnabled {
            guard let entry = self.library[device.profile], let profile = self.profile(of: device) else { continue }
            let bus: String =
                switch device.address {
                case .mqtt: if case .http = profile.wire { "push" } else { "mqtt" }
                case .bus(let bus, _): bus
                }
            for point in profile.points where !point.isHidden && point.kind != .text && point.privacy == .none {
                points.append(
                    WatchedSite.Point(
                        id: PointID(device: device.id, name: point.name),
                        node: device.node,
                        unit: point.unit,
                        profile: profile.id,
                        category: profile.category.rawValue,
                        bus: bus,
                        interval: self.interval(device, point, entry.profile)
                    )
                )
            }
        }
        return WatchedSite(
            nodes: self.site.nodes.map {
                WatchedSite.Node(id: $0.id, parent: $0.parent, kind: $0.kind.rawValue, room: $0.room?.rawValue)
            },
            points: points.sorted { $0.id < $1.id },
            hours: self.site.hours
        )
    }

    /// How often a point is stored at least: read or reported, or, with a deadband, told again although it has not
    /// changed.
    private func interval(
        _ device: SiteDefinition.Device,
        _ point: PointDefinition,
        _ profile: DeviceProfile
    ) -> Int64 {
        let polling = self.gateway.polling
        let usual: Int64 =
            switch (device.address, point.poll) {
            case (.mqtt, _): self.reportMilliseconds(of: device, profile)
            case (.bus, .fast): polling.fastMilliseconds
            case (.bus, .normal): polling.normalMilliseconds
            case (.bus, .slow): polling.slowMilliseconds
            case (.bus, .once): polling.onceMilliseconds
            }
        return point.deadband > 0 ? max(usual, polling.heartbeatMilliseconds) : usual
    }
}
