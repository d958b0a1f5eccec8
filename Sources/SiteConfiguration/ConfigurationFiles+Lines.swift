internal import CampusModel
package import DeviceProfile

/// A line bus with all that its devices' profile says of it.
package struct LineBusSettings: Sendable {
    package var id: String
    package var port: SiteDefinition.Bus.LinePlace.Port
    package var passwordFile: String?
    /// The wire of its devices.
    package var wire: LineWire
    package var patience: BusPatience
}

extension ConfigurationFiles {
    /// The line buses that have devices, as the files say.
    package var lineBuses: [LineBusSettings] {
        self.site.buses.compactMap { bus in
            guard case .line(let place) = bus.medium, let wire = self.lineWire(of: bus) else { return nil }
            let port: SiteDefinition.Bus.LinePlace.Port
            switch place.port {
            case .tcp(let host, let number):
                guard let number = number ?? wire.port else { return nil }
                port = .tcp(host: host, port: number)
            case .serial(let device, let settings):
                let factory = wire.serial.map { SiteDefinition.Bus.Serial($0) }
                guard let settings = settings ?? factory else { return nil }
                port = .serial(device: device, settings: settings)
            }
            return LineBusSettings(
                id: bus.id,
                port: port,
                passwordFile: place.passwordFile.map { self.resolved($0) },
                wire: wire,
                patience: BusPatience(
                    timeoutMilliseconds: bus.timeoutMilliseconds ?? wire.timeoutMilliseconds,
                    pauseMilliseconds: bus.pauseMilliseconds ?? wire.pauseMilliseconds,
                    connectPauseMilliseconds: wire.connectPauseMilliseconds
                )
            )
        }
    }

    /// The wire of the first device of a line bus; the others have the same.
    private func lineWire(of bus: SiteDefinition.Bus) -> LineWire? {
        for device in self.site.devices where device.isEnabled {
            guard case .bus(bus.id, _) = device.address,
                case .line(let wire) = self.library[device.profile]?.profile.wire
            else { continue }
            return wire
        }
        return nil
    }

    /// The file with the secret of a device that pushes over HTTP.
    package func secretFile(of device: SiteDefinition.Device) -> String? { device.secretFile.map { self.resolved($0) } }

    /// A path of `site.yaml`, which counts from the folder of that file.
    private func resolved(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = self.gateway.siteFile.lastIndex(of: "/") else { return path }
        return "\(self.gateway.siteFile[..<slash])/\(path)"
    }
}

extension SiteDefinition {
    /// Why a device of this profile cannot be on the bus; `nil` when it can.
    func problem(of profile: DeviceProfile, on id: String) -> LocalizedText? {
        guard let bus = self.buses.first(where: { $0.id == id }) else { return nil }
        switch (profile.wire, bus.medium) {
        case (.modbus, .tcp), (.modbus, .rtu): return nil
        case (.line(let wire), .line(let place)):
            if let other = self.devices.first(where: { $0.isEnabled && $0.address.bus == id }),
                other.profile != profile.id
            {
                return LocalizedText(
                    vi: "bus '\(id)' đã có thiết bị theo hồ sơ '\(other.profile)'; một đường dây chỉ dùng một hồ sơ",
                    en: "bus '\(id)' has devices of profile '\(other.profile)'; one line has one profile"
                )
            }
            switch place.port {
            case .tcp(_, nil) where wire.port == nil:
                return LocalizedText(
                    vi: "hồ sơ '\(profile.id)' không có cổng TCP mặc định; hãy ghi 'port' cho bus '\(id)'",
                    en: "profile '\(profile.id)' has no TCP port; give bus '\(id)' a 'port'"
                )
            case .serial(_, nil) where wire.serial == nil:
                return LocalizedText(
                    vi: "hồ sơ '\(profile.id)' không có cấu hình cổng nối tiếp; hãy ghi 'baud' cho bus '\(id)'",
                    en: "profile '\(profile.id)' has no serial settings; give bus '\(id)' a 'baud'"
                )
            default: return nil
            }
        case (.line, _):
            return LocalizedText(
                vi: "hồ sơ '\(profile.id)' hỏi đáp từng dòng, bus '\(id)' là Modbus; hãy dùng bus có 'line'",
                en: "profile '\(profile.id)' is asked line by line, bus '\(id)' is Modbus; use a bus that has 'line'"
            )
        default:
            return LocalizedText(
                vi: "hồ sơ '\(profile.id)' dành cho Modbus, bus '\(id)' có 'line'; hãy dùng bus có 'tcp' hoặc 'rtu'",
                en: "profile '\(profile.id)' is for Modbus, bus '\(id)' has 'line'; use a bus with 'tcp' or 'rtu'"
            )
        }
    }
}

extension SiteDefinition.Device.Address {
    /// The bus, of those that have one.
    var bus: String? { if case .bus(let bus, _) = self { bus } else { nil } }
}

extension SiteDefinition.Bus.Serial {
    /// What the factory ships.
    init(_ serial: ModbusWire.Serial) {
        let parity: SiteDefinition.Bus.Parity =
            switch serial.parity {
            case .none: .none
            case .even: .even
            case .odd: .odd
            }
        self.init(baud: serial.baud, parity: parity, dataBits: serial.dataBits, stopBits: serial.stopBits)
    }
}
