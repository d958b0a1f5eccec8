package import CampusModel
internal import DeviceProfile

extension ConfigurationFiles {
    /// The devices that an action of a schedule is for: the one it names, or those inside its node that have the
    /// control.
    package func devices(of action: ScheduleDefinition.Action) -> [DeviceID] {
        switch action.target {
        case .device(let id): return [id]
        case .node(let node):
            let inside = self.site.nodes(inside: node)
            return self.site.devices
                .filter { device in
                    device.isEnabled && inside.contains(device.node)
                        && self.profile(of: device)?.controls.contains { $0.name == action.control } ?? false
                }
                .map(\.id)
        }
    }

    /// The same with what of its schedules no device can do among the problems.
    func checkingSchedules() -> ConfigurationFiles {
        var files = self
        for schedule in self.site.schedules {
            for action in schedule.actions {
                guard let text = self.problem(of: action) else { continue }
                files.problems.append(
                    ConfigurationProblem(
                        "\(self.gateway.siteFile):\(action.line)",
                        vi: "lịch \(schedule.name): \(text.vi)",
                        en: "schedule \(schedule.name): \(text.en)"
                    )
                )
            }
        }
        return files
    }

    private func problem(of action: ScheduleDefinition.Action) -> LocalizedText? {
        let devices = self.devices(of: action)
        if devices.isEmpty {
            return LocalizedText(
                vi: "không có thiết bị nào ở đó có điều khiển '\(action.control)'",
                en: "no device there has a control called '\(action.control)'"
            )
        }
        for id in devices {
            guard let device = self.site.devices.first(where: { $0.id == id }), let profile = self.profile(of: device)
            else { continue }
            guard let control = profile.controls.first(where: { $0.name == action.control }) else {
                let known = profile.controls.map(\.name).joined(separator: ", ")
                return LocalizedText(
                    vi:
                        "thiết bị \(id) không có điều khiển '\(action.control)' (có: \(known.isEmpty ? "không" : known))",
                    en: "device \(id) has no control '\(action.control)' (it has: \(known.isEmpty ? "none" : known))"
                )
            }
            let parameters = if case .mqtt(let found) = device.address { found } else { [String: String]() }
            do throws(ControlRefusal) {
                _ = try control.write(action.value, parameters: parameters)
            } catch {
                return LocalizedText(
                    vi: "\(id)/\(action.control) \(error.vi)",
                    en: "\(id)/\(action.control) \(error.en)"
                )
            }
        }
        return nil
    }
}

extension SiteDefinition {
    /// A node with everything inside it.
    package func nodes(inside node: NodeID) -> Set<NodeID> {
        var inside: Set<NodeID> = [node]
        // Nodes come after their parents.
        for candidate in self.nodes {
            if let parent = candidate.parent, inside.contains(parent) { inside.insert(candidate.id) }
        }
        return inside
    }
}
