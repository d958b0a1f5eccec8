internal import AlertRules
internal import CampusModel
package import StrictYAML

extension SiteDefinition {
    /// Reads `site.yaml`.
    ///
    /// - Throws: All problems of the file, each with its line.
    package static func read(yaml: String, file: String) throws(YAMLProblems) -> SiteDefinition {
        let document = try YAMLDocument(yaml, file: file)
        let root = document.root
        let reader = SiteReader(root: root)
        let site = reader.read()
        root.finish()
        try document.check()
        guard let site else {
            throw YAMLProblems([
                YAMLProblem(file: file, line: 0, column: 0, path: "", message: "the site is incomplete")
            ])
        }
        return site
    }
}

/// Reads the parts of `site.yaml`.
private struct SiteReader {
    let root: YAMLMap

    func read() -> SiteDefinition? {
        var siteID: String?
        var siteName: LocalizedText?
        var offset: Int64 = 25_200
        if let map = self.root.required("site")?.map() {
            siteID = self.identifier("id", "site", map)
            siteName = self.localized("name", map)
            offset = self.offset(map)
            map.finish()
        }
        var nodes: [SiteDefinition.Node] = []
        if let siteID, let siteName {
            nodes.append(
                .init(id: NodeID(rawValue: siteID), parent: nil, kind: .site, room: nil, name: siteName)
            )
        }
        if let list = self.root.required("nodes") {
            self.readNodes(list, parent: siteID, into: &nodes)
        }
        self.checkUnique(nodes.map(\.id.rawValue), "node", at: "nodes")
        let buses = self.root.list("buses", limit: 1_000).compactMap { self.bus($0.map()) }
        self.checkUnique(buses.map(\.id), "bus", at: "buses")
        let known = Set(nodes.map(\.id.rawValue))
        let devices = self.root.list("devices", limit: 20_000).compactMap { self.device($0.map(), known, buses) }
        self.checkUnique(devices.map(\.id.rawValue), "device", at: "devices")
        let schedules = ScheduleReader(root: self.root, nodes: known, devices: Set(devices.map(\.id.rawValue)))
        let timetable = schedules.timetable()
        let planned = schedules.schedules(timetable)
        guard let siteID, let siteName else { return nil }
        return SiteDefinition(
            id: NodeID(rawValue: siteID),
            name: siteName,
            utcOffsetSeconds: offset,
            nodes: nodes,
            buses: buses,
            devices: devices,
            timetable: timetable,
            schedules: planned
        )
    }

    private func readNodes(_ value: YAMLValue, parent: String?, into nodes: inout [SiteDefinition.Node]) {
        for entry in value.list(limit: 5_000) {
            let map = entry.map()
            let id = self.identifier("id", "node", map)
            let kind = map.choice("kind", of: SiteDefinition.NodeKind.self)
            let name = self.localized("name", map)
            let room =
                map.optional("room") == nil ? nil : map.choice("room", of: SiteDefinition.RoomKind.self)
            if kind == .room, room == nil { map.problem("a room needs the key 'room': what is it for?") }
            if let kind, kind != .room, room != nil { map.problem(at: "room", "only nodes of kind room have it") }
            let children = map.optional("children")
            map.finish()
            if let id, let kind, let name {
                nodes.append(
                    .init(
                        id: NodeID(rawValue: id),
                        parent: parent.map { NodeID(rawValue: $0) },
                        kind: kind,
                        room: room,
                        name: name
                    )
                )
            }
            if let children { self.readNodes(children, parent: id, into: &nodes) }
        }
    }

    private func bus(_ map: YAMLMap) -> SiteDefinition.Bus? {
        let id = self.identifier("id", "bus", map)
        let tcp = map.optionalMap("tcp")
        let rtu = map.optionalMap("rtu")
        let line = map.optionalMap("line")
        let timeout = map.optional("timeout").flatMap { $0.milliseconds(in: 50...10_000) }
        let pause = map.optional("pause").flatMap { $0.milliseconds(in: 0...5_000) }
        map.finish()
        let medium: SiteDefinition.Bus.Medium?
        switch (tcp, rtu, line) {
        case (.some(let tcp), nil, nil): medium = self.tcp(tcp)
        case (nil, .some(let rtu), nil): medium = self.rtu(rtu)
        case (nil, nil, .some(let line)): medium = self.line(line).map { .line($0) }
        default:
            map.problem("exactly one of the keys 'tcp', 'rtu' and 'line' is needed")
            return nil
        }
        guard let id, let medium else { return nil }
        return .init(
            id: id,
            medium: medium,
            timeoutMilliseconds: timeout.map { Int($0) },
            pauseMilliseconds: pause.map { Int($0) }
        )
    }

    private func tcp(_ map: YAMLMap) -> SiteDefinition.Bus.Medium? {
        let host = map.string("host", limit: 253)
        let port = map.int("port", in: 1...65_535, default: 502)
        map.finish()
        return host.map { .tcp(host: $0, port: UInt16(clamping: port)) }
    }

    private func rtu(_ map: YAMLMap) -> SiteDefinition.Bus.Medium? {
        let device = map.string("device", limit: 1_024)
        let baud = map.int("baud", in: 300...921_600)
        let parity = map.choice("parity", of: SiteDefinition.Bus.Parity.self, default: .none)
        let dataBits = map.int("dataBits", in: 7...8, default: 8)
        let stopBits = map.int("stopBits", in: 1...2, default: 1)
        map.finish()
        guard let device, let baud else { return nil }
        return .rtu(device: device, baud: baud, parity: parity, dataBits: dataBits, stopBits: stopBits)
    }

    /// `{host, port?}` or `{device, baud?, parity?, dataBits?, stopBits?}`, with `passwordFile?`.
    private func line(_ map: YAMLMap) -> SiteDefinition.Bus.LinePlace? {
        let host = map.optionalString("host", limit: 253)
        let port = map.optional("port").flatMap { $0.int(in: 1...65_535) }
        let device = map.optionalString("device", limit: 1_024)
        let baud = map.optional("baud").flatMap { $0.int(in: 300...921_600) }
        let parity = map.choice("parity", of: SiteDefinition.Bus.Parity.self, default: .none)
        let dataBits = map.int("dataBits", in: 7...8, default: 8)
        let stopBits = map.int("stopBits", in: 1...2, default: 1)
        let passwordFile = map.optionalString("passwordFile", limit: 1_024)
        if baud == nil {
            for key in ["parity", "dataBits", "stopBits"] where map.optional(key) != nil {
                map.problem(at: key, "needs 'baud' beside it; without 'baud' all is as the profile says")
            }
        }
        map.finish()
        switch (host, device) {
        case (.some(let host), nil):
            if baud != nil { map.problem(at: "baud", "is for serial ports: name the 'device'") }
            return .init(port: .tcp(host: host, port: port.map { UInt16(clamping: $0) }), passwordFile: passwordFile)
        case (nil, .some(let device)):
            if port != nil { map.problem(at: "port", "is for TCP: name the 'host'") }
            let settings = baud.map {
                SiteDefinition.Bus.Serial(baud: $0, parity: parity, dataBits: dataBits, stopBits: stopBits)
            }
            return .init(port: .serial(device: device, settings: settings), passwordFile: passwordFile)
        default:
            map.problem("exactly one of the keys 'host' and 'device' is needed")
            return nil
        }
    }

    func device(
        _ map: YAMLMap,
        _ nodes: Set<String>,
        _ buses: [SiteDefinition.Bus]
    ) -> SiteDefinition.Device? {
        let id = self.identifier("id", "device", map)
        let node = map.string("node", limit: 64)
        if let node { self.checkKnown(node, nodes, "node", at: "node", map) }
        let profile = map.string("profile", limit: 64)
        let name = map.optional("name") == nil ? nil : self.localized("name", map)
        var parameters: [String: String] = [:]
        if let inner = map.optionalMap("parameters") {
            for key in inner.keys { parameters[key] = inner.string(key, limit: 256) }
        }
        let bus = map.optionalString("bus", limit: 64)
        if let bus { self.checkKnown(bus, Set(buses.map(\.id)), "bus", at: "bus", map) }
        let unit = map.optional("unit").flatMap { $0.int(in: 0...255) }
        if bus == nil, unit != nil { map.problem(at: "unit", "a unit needs its 'bus'") }
        if bus != nil, !parameters.isEmpty {
            map.problem(at: "parameters", "parameters are for MQTT, 'bus' is for Modbus and lines")
        }
        let secretFile = map.optionalString("secretFile", limit: 1_024)
        var settings: [String: String] = [:]
        if let inner = map.optionalMap("settings") {
            for key in inner.keys { settings[key] = inner.required(key)?.scalarText }
        }
        let addressOffset = map.int("addressOffset", in: -65_535...65_535, default: 0)
        if bus == nil, addressOffset != 0 { map.problem(at: "addressOffset", "is for Modbus: it needs the 'bus'") }
        let report = map.optional("report").flatMap { $0.milliseconds(in: 1_000...604_800_000) }
        let asset = map.optionalString("asset", limit: 120)
        let describedBy = map.optionalString("described", limit: 64)
        let isEnabled = map.bool("enabled", default: true)
        map.finish()
        guard let id, let node, let profile else { return nil }
        return .init(
            id: DeviceID(rawValue: id),
            node: NodeID(rawValue: node),
            profile: profile,
            name: name,
            address: bus.map { .bus($0, unit: unit.map { UInt8(clamping: $0) }) }
                ?? .mqtt(parameters: parameters),
            secretFile: secretFile,
            settings: settings,
            addressOffset: addressOffset,
            reportMilliseconds: report,
            asset: asset,
            describedBy: describedBy,
            isEnabled: isEnabled,
            line: map.line
        )
    }

    private func offset(_ map: YAMLMap) -> Int64 {
        guard let value = map.optional("utcOffset") else { return 25_200 }
        guard let text = value.scalarText, let sign = text.first, sign == "+" || sign == "-",
            let minute = TimetableReader.minute(text.dropFirst()), minute <= 14 * 60
        else {
            value.problem("must be written as \"+07:00\"")
            return 25_200
        }
        return Int64(sign == "-" ? -minute : minute) * 60
    }

    private func identifier(_ key: String, _ kind: String, _ map: YAMLMap) -> String? {
        guard let text = map.string(key, limit: 64) else { return nil }
        do {
            try IdentifierRule.check(text, kind: kind)
            return text
        } catch {
            map.problem(at: key, error.description)
            return nil
        }
    }

    private func localized(_ key: String, _ map: YAMLMap) -> LocalizedText? {
        guard let inner = map.required(key)?.map() else { return nil }
        let vi = inner.string("vi", limit: 200)
        let en = inner.string("en", limit: 200)
        inner.finish()
        guard let vi, let en else { return nil }
        return LocalizedText(vi: vi, en: en)
    }

    private func checkKnown(_ name: String, _ known: Set<String>, _ what: String, at key: String, _ map: YAMLMap) {
        guard !known.contains(name) else { return }
        let hint = NearestWord.suggestion(for: name, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
        map.problem(at: key, "there is no \(what) called '\(name)'\(hint)")
    }

    private func checkUnique(_ names: [String], _ what: String, at key: String) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            self.root.problem(at: key, "two \(what)s are called '\(name)'")
        }
    }
}

extension SiteDefinition {
    /// Adds the devices of a file that has only the key `devices`; one that the site has already is left out.
    package mutating func add(adopted yaml: String, file: String) throws(YAMLProblems) {
        let document = try YAMLDocument(yaml, file: file)
        let reader = SiteReader(root: document.root)
        let nodes = Set(self.nodes.map(\.id.rawValue))
        let found = document.root.list("devices", limit: 20_000)
            .compactMap { value in
                reader.device(value.map(), nodes, self.buses)
            }
        document.root.finish()
        try document.check()
        let known = Set(self.devices.map(\.id))
        self.devices.append(contentsOf: found.filter { !known.contains($0.id) })
    }
}
