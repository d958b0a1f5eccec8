internal import Foundation

/// Writes the configuration of a believable school: rooms with climate, plugs, lights and aircons, laboratories,
/// energy,
/// readers, tags and plant.
package struct SchoolGenerator: Sendable {
    package var rooms: Int
    package var modbusPort: Int
    package var webPort: Int
    package var brokerPort: Int
    package var profileFolder: String
    package var stateFolder: String

    package init(
        rooms: Int,
        modbusPort: Int,
        webPort: Int,
        brokerPort: Int,
        profileFolder: String,
        stateFolder: String
    ) {
        self.rooms = rooms
        self.modbusPort = modbusPort
        self.webPort = webPort
        self.brokerPort = brokerPort
        self.profileFolder = profileFolder
        self.stateFolder = stateFolder
    }

    /// Rooms on one floor, which share a Modbus bus.
    private static let roomsPerFloor = 10

    /// `gateway.yaml` for the school.
    package var gatewayYAML: String {
        """
        # A simulated school; made by `campus-simulator school`.
        state: \(self.stateFolder)
        site: site.yaml
        profiles: [\(self.profileFolder)]
        web: {port: \(self.webPort)}
        broker: {port: \(self.brokerPort)}
        push: {port: \(self.pushPort)}
        polling: {report: 30 s}

        """
    }

    /// `site.yaml` for the school.
    package var siteYAML: String {
        var nodes = ""
        var buses = ""
        var devices = ""
        let floors = self.floors
        for floor in 0..<floors {
            let letter = Self.letter(floor)
            nodes += "  - id: nha-\(letter)\n    kind: building\n"
            nodes +=
                "    name: {vi: \"Nhà \(letter.uppercased())\", en: \"Building \(letter.uppercased())\"}\n    children:\n"
            buses +=
                "  - {id: nha-\(letter), tcp: {host: 127.0.0.1, port: \(self.modbusPort + floor)}, timeout: 500 ms}\n"
            for index in 0..<min(Self.roomsPerFloor, self.rooms - floor * Self.roomsPerFloor) {
                self.addRoom(letter, index, to: &nodes, &devices)
            }
        }
        self.addPlant(floors, to: &nodes, &buses, &devices)
        return """
            # A simulated school; made by `campus-simulator school`.
            site: {id: truong-mo-phong, name: {vi: "THPT Mô Phỏng", en: "Simulated High School"}, utcOffset: "+07:00"}
            nodes:
            \(nodes)buses:
            \(buses)devices:
            \(devices)\(Self.schedules)
            """
    }

    /// What the school does by itself.
    private static let schedules = """
        schedules:
          - name: may-lanh-theo-tiet
            title: {vi: Máy lạnh 26 °C trong giờ học, en: Aircon at 26 °C in lessons}
            lesson: every-start
            actions: [{node: truong-mo-phong, control: setpoint, value: 26}]
          - name: tat-sau-gio-hoc
            title: {vi: Tắt máy lạnh và ổ cắm 10 phút sau tiết cuối, en: Aircon and sockets off 10 min after the last lesson}
            lesson: last-end
            offset: 10 min
            actions:
              - {node: truong-mo-phong, control: power, value: 0}
              - {node: truong-mo-phong, control: socket, value: 0}

        """

    /// Floors, each with a bus of its own.
    private var floors: Int { (self.rooms + Self.roomsPerFloor - 1) / Self.roomsPerFloor }

    /// Where devices that push find the gateway: after the ports of the buses.
    private var pushPort: Int { self.modbusPort + self.floors + 4 }

    /// The first laboratory; in a school without one the first room.
    private var laboratory: String { self.rooms >= Self.roomsPerFloor ? "a110" : "a101" }

    private static func letter(_ index: Int) -> String {
        let scalar = Unicode.Scalar(UInt8(ascii: "a") + UInt8(clamping: index % 26))
        return index < 26 ? String(scalar) : "\(scalar)\(index / 26)"
    }

    private func addRoom(_ letter: String, _ index: Int, to nodes: inout String, _ devices: inout String) {
        let id = "\(letter)\(101 + index)"
        let isLab = index == Self.roomsPerFloor - 1
        let kind = isLab ? "laboratory" : index == 0 ? "smart-classroom" : "classroom"
        let name = isLab ? ("Phòng thí nghiệm", "Laboratory") : ("Phòng", "Room")
        nodes +=
            "      - {id: \(id), kind: room, room: \(kind), name: {vi: \"\(name.0) \(id.uppercased())\", "
            + "en: \"\(name.1) \(id.uppercased())\"}}\n"
        let bus = "nha-\(letter)"
        let unit = index * 10 + 1
        func modbus(_ suffix: String, _ profile: String, _ offset: Int) {
            devices +=
                "  - {id: \(id)-\(suffix), node: \(id), profile: \(profile), bus: \(bus), unit: \(unit + offset)}\n"
        }
        func mqtt(_ suffix: String, _ profile: String, _ parameters: String) {
            devices += "  - {id: \(id)-\(suffix), node: \(id), profile: \(profile), parameters: {\(parameters)}}\n"
        }
        modbus("khi", "wiren-board-wb-msw-v4", 0)
        modbus("den", "waveshare-relay-8ch", 1)
        modbus("lanh-1", "intesis-inmbsdai", 2)
        modbus("lanh-2", "intesis-inmbsdai", 3)
        mqtt("co2", "milesight-am307", "devEui: \"24e124707c\(id)\"")
        mqtt("nguoi", "milesight-vs121", "devEui: \"24e1245210\(id)\"")
        mqtt("o-1", "milesight-ws523", "application: \"7\", devEui: \"24e1245231\(id)\"")
        mqtt("o-2", "milesight-ws523", "application: \"7\", devEui: \"24e1245232\(id)\"")
        if isLab {
            modbus("tu-hut", "tsi-everwatch-8610", 4)
            modbus("tu-lanh", "eliwell-idplus", 5)
            modbus("ph", "supmea-sup-ph8001", 6)
            modbus("pt100", "simex-trs-02a", 7)
        }
    }

    private func addPlant(
        _ floors: Int,
        to nodes: inout String,
        _ buses: inout String,
        _ devices: inout String
    ) {
        nodes += "  - {id: ky-thuat, kind: room, room: plant-room, name: {vi: Phòng kỹ thuật, en: Plant room}}\n"
        nodes += "  - {id: cong-chinh, kind: room, room: entrance, name: {vi: Cổng chính, en: Main gate}}\n"
        nodes += "  - {id: kho, kind: room, room: other, name: {vi: Kho thiết bị, en: Equipment store}}\n"
        let port = self.modbusPort + floors
        buses += "  - {id: dien, tcp: {host: 127.0.0.1, port: \(port)}, timeout: 500 ms}\n"
        buses += "  - {id: may-chieu-a101, line: {host: 127.0.0.1, port: \(port + 2)}}\n"
        buses += "  - {id: can, line: {host: 127.0.0.1, port: \(port + 3)}}\n"
        buses += "  - {id: ky-thuat, tcp: {host: 127.0.0.1, port: \(port + 1)}, timeout: 1 s}\n"
        for index in 1...max(floors, 1) {
            devices +=
                "  - {id: cong-to-\(index), node: ky-thuat, profile: eastron-sdm630, bus: dien, unit: \(index)}\n"
        }
        devices += """
              - {id: cong-to-bom, node: ky-thuat, profile: eastron-sdm120, bus: dien, unit: 100}
              - {id: ups, node: ky-thuat, profile: apc-smart-ups, bus: ky-thuat, unit: 1}
              - {id: mat-troi, node: ky-thuat, profile: sungrow-sh, bus: ky-thuat, unit: 2}
              - {id: bao-chay, node: ky-thuat, profile: notifier-modbus-gw, bus: ky-thuat, unit: 3}
              - {id: be-nuoc, node: ky-thuat, profile: milesight-em310-udl, parameters: {devEui: "24e1247130000001"}}
              - {id: cong-1, node: cong-chinh, profile: esp-rfid-v1, parameters: {topic: gate1}}
              - {id: cong-2, node: cong-chinh, profile: tasmota-pn532, parameters: {device: gate2}}
              - {id: cham-cong, node: cong-chinh, profile: zkteco-push, parameters: {serial: CJDE193560001}}
              - {id: cong-3, node: cong-chinh, profile: rf-ideas-ethernet, bus: ky-thuat, unit: 4}
              - {id: a101-may-chieu, node: a101, profile: pjlink-class-1, bus: may-chieu-a101}
              - {id: can-phan-tich, node: \(self.laboratory), profile: mettler-toledo-mt-sics, bus: can}
              - {id: may-chieu-1, node: kho, profile: espresense-tag, parameters: {tag: projector-1}}
              - {id: may-do-1, node: kho, profile: openmqttgateway-ibeacon, parameters: {gateway: store, mac: 6087574C9BC2}}

            """
            .split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "\($0)" }
            .joined(separator: "\n")
    }
}
