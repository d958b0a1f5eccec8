internal import DeviceProfile

extension ConfigurationFiles {
    /// How long the bus waits for a reply, and how long it is quiet between two requests.
    ///
    /// What `site.yaml` says; otherwise the longest that a profile of its devices asks for, because a bus is as patient
    /// as its slowest device needs; 1 s and no pause for a bus without devices.
    package func patience(of bus: SiteDefinition.Bus) -> BusPatience {
        let wires = self.members(of: bus).map(\.wire)
        return BusPatience(
            timeoutMilliseconds: bus.timeoutMilliseconds ?? wires.map(\.timeoutMilliseconds).max() ?? 1_000,
            pauseMilliseconds: bus.pauseMilliseconds ?? wires.map(\.pauseMilliseconds).max() ?? 0,
            connectPauseMilliseconds: wires.map(\.connectPauseMilliseconds).max() ?? 0
        )
    }

    /// What may be right and is often the reason why a device is silent, one line each.
    ///
    /// Devices that leave their factory with other serial settings than those of their bus, and devices that need more
    /// patience than it has.
    package var remarks: [String] {
        self.site.buses.flatMap { bus in
            self.members(of: bus).flatMap { device, wire in self.remarks(on: device, wire, bus) }
        }
    }

    private func members(of bus: SiteDefinition.Bus) -> [(device: SiteDefinition.Device, wire: ModbusWire)] {
        self.site.devices.compactMap { device in
            guard device.isEnabled, case .bus(bus.id, _) = device.address,
                case .modbus(let wire) = self.library[device.profile]?.profile.wire
            else { return nil }
            return (device, wire)
        }
    }

    private func remarks(
        on device: SiteDefinition.Device,
        _ wire: ModbusWire,
        _ bus: SiteDefinition.Bus
    ) -> [String] {
        let place = "\(self.gateway.siteFile):\(device.line): device \(device.id)"
        var remarks: [String] = []
        if let serial = wire.serial, case .rtu(_, let baud, let parity, let dataBits, let stopBits) = bus.medium {
            let factory = "\(serial.baud) \(serial.dataBits)\(serial.parity.letter)\(serial.stopBits)"
            let ours = "\(baud) \(dataBits)\(parity.letter)\(stopBits)"
            if factory != ours {
                remarks.append(
                    "\(place): it leaves the factory with \(factory), bus '\(bus.id)' has \(ours); is the device set to that?"
                )
            }
        }
        // 1 s is what profiles say that know nothing better.
        if let timeout = bus.timeoutMilliseconds, timeout < wire.timeoutMilliseconds, wire.timeoutMilliseconds > 1_000 {
            remarks.append(
                "\(place): it may take \(wire.timeoutMilliseconds) ms to answer, bus '\(bus.id)' waits \(timeout) ms"
            )
        }
        if let pause = bus.pauseMilliseconds, pause < wire.pauseMilliseconds {
            remarks.append(
                "\(place): it needs \(wire.pauseMilliseconds) ms between two requests, bus '\(bus.id)' pauses \(pause) ms"
            )
        }
        return remarks
    }
}

/// How long a bus waits, and how long it is quiet.
package struct BusPatience: Sendable, Hashable {
    /// Longest wait for a reply.
    package var timeoutMilliseconds: Int
    /// Least quiet time between two requests.
    package var pauseMilliseconds: Int
    /// Quiet time after connecting.
    package var connectPauseMilliseconds: Int

    package init(timeoutMilliseconds: Int, pauseMilliseconds: Int, connectPauseMilliseconds: Int = 0) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.pauseMilliseconds = pauseMilliseconds
        self.connectPauseMilliseconds = connectPauseMilliseconds
    }
}

extension ModbusWire.Serial.Parity {
    fileprivate var letter: String {
        switch self {
        case .none: "N"
        case .even: "E"
        case .odd: "O"
        }
    }
}

extension SiteDefinition.Bus.Parity {
    fileprivate var letter: String {
        switch self {
        case .none: "N"
        case .even: "E"
        case .odd: "O"
        }
    }
}
