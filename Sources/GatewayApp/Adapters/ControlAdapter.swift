internal import Acquisition
internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import MQTTTransport
internal import ModbusTransport
internal import Synchronization

/// Takes commands to the buses and the broker.
final class ControlAdapter: ControlWires {
    private let connection: MQTTConnection
    private let receiver: IngestReceiver
    private let engine: AcquisitionEngine
    private let buses = Mutex<[String: ModbusBus]>([:])

    init(connection: MQTTConnection, receiver: IngestReceiver, engine: AcquisitionEngine) {
        self.connection = connection
        self.receiver = receiver
        self.engine = engine
    }

    /// Takes the buses of a new configuration.
    func update(buses: [String: ModbusBus]) { self.buses.withLock { $0 = buses } }

    func obstacle(of device: ControlledDevice) -> LocalizedText? {
        guard case .messages = device.address else { return nil }
        guard self.receiver.connectionState == .connected else {
            return LocalizedText(
                vi: "gateway chưa kết nối với broker",
                en: "the gateway is not connected to the broker"
            )
        }
        guard self.engine.device(device.id)?.health.state != .offline else {
            return LocalizedText(vi: "thiết bị đang mất liên lạc", en: "the device is offline")
        }
        return nil
    }

    func write(
        _ write: ControlWrite,
        bus: String,
        unit: UInt8,
        readback: RegisterRead?
    ) async -> RegisterWriteReply {
        guard let found = self.buses.withLock({ $0[bus] }), let write = ModbusWrite(write) else {
            return .notSent(LocalizedText(vi: "không có đường '\(bus)'", en: "there is no bus '\(bus)'"))
        }
        let reply = await found.command(write, unit: unit, thenRead: readback.map { ModbusRead($0, unit: unit) })
        let words: [UInt16]? = if case .success(let read) = reply.read { read.words } else { nil }
        switch reply.write {
        case .success: return .accepted(readback: words)
        case .failure(let error):
            if error.exception > 0 {
                return .refused(
                    code: error.code.rawValue,
                    FaultReason.label("exception\(error.exception)"),
                    readback: words
                )
            }
            let text = LocalizedText(
                vi: "\(FaultReason.label(Self.reason(error).rawValue).vi) (\(error.description))",
                en: error.description
            )
            return reply.wasSent ? .unanswered(text, readback: words) : .notSent(text)
        }
    }

    private static func reason(_ error: ModbusError) -> DeviceHealth.Reason {
        switch error.code {
        case .timeout, .backedOff: .timeout
        case .badReply: .badReply
        default: .notConnected
        }
    }

    func read(_ read: RegisterRead, bus: String, unit: UInt8) async -> [UInt16]? {
        guard let found = self.buses.withLock({ $0[bus] }) else { return nil }
        return try? await found.read(ModbusRead(read, unit: unit)).words
    }

    func publish(topic: String, payload: String, withinMilliseconds: Int64) async -> PublishReply {
        let (stream, done) = AsyncStream.makeStream(of: PublishReply.self, bufferingPolicy: .bufferingOldest(1))
        do {
            try self.connection.publishCommand(
                topic: topic,
                payload: Array(payload.utf8),
                expirySeconds: UInt32(clamping: max(1, withinMilliseconds / 1_000))
            ) { result in
                switch result {
                case .success: done.yield(.acknowledged)
                case .failure(let error): done.yield(Self.reply(to: error))
                }
                done.finish()
            }
        } catch {
            return Self.reply(to: error)
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(for: .milliseconds(withinMilliseconds))
                done.finish()
            }
            var reply: PublishReply?
            for await first in stream {
                reply = first
                break
            }
            group.cancelAll()
            return reply
                ?? .unanswered(
                    LocalizedText(vi: "broker không xác nhận kịp", en: "the broker did not acknowledge in time")
                )
        }
    }

    private static func reply(to error: MQTTError) -> PublishReply {
        switch error.code {
        case .notConnected, .queueFull, .invalidTopic, .payloadTooLarge:
            .notSent(LocalizedText(vi: "chưa gửi được qua broker (\(error.description))", en: error.description))
        case .closed, .broker, .unanswered:
            .unanswered(LocalizedText(vi: "broker không xác nhận (\(error.description))", en: error.description))
        }
    }

    func observation(of point: Int, device: DeviceID) -> PointObservation? {
        guard let found = self.engine.device(device)?.point(at: point), let latest = found.latest,
            let received = found.received
        else { return nil }
        return PointObservation(value: latest.value, isGood: latest.quality.isGood, received: received)
    }
}

extension ModbusRead {
    init(_ read: RegisterRead, unit: UInt8) {
        self.init(unit: unit, table: ModbusReader.table(read.table), address: read.address, count: read.count)
    }
}

extension ModbusWrite {
    /// The request of a control; `nil` for a message.
    init?(_ write: ControlWrite) {
        guard case .registers(let function, let address, let words) = write, let first = words.first else { return nil }
        switch function {
        case 5 where first == 0xFF00 || first == 0: self = .coil(address: address, isOn: first != 0)
        case 5: self = .coilWord(address: address, value: first)
        case 6: self = .register(address: address, value: first)
        case 15: self = .coils(address: address, areOn: words.map { $0 != 0 })
        default: self = .registers(address: address, values: words)
        }
    }
}

extension ControlledDevice {
    init(_ device: ConfiguredDevice) {
        let address: ControlledDevice.Address =
            switch device.address {
            case .modbus(let bus, let unit): .registers(bus: bus, unit: unit)
            case .mqtt(let parameters): .messages(parameters: parameters)
            // Their profiles have no controls.
            case .line, .http: .messages(parameters: [:])
            }
        self.init(id: device.id, node: device.node, name: device.name, profile: device.profile, address: address)
    }
}
