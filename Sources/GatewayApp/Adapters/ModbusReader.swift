internal import Acquisition
internal import DeviceProfile
internal import ModbusTransport
internal import SiteConfiguration

/// Lets acquisition read through a Modbus bus.
struct ModbusReader: RegisterReading {
    let bus: ModbusBus

    var executor: (any TaskExecutor)? { self.bus.taskExecutor }

    func read(_ requests: [RegisterRequest], before next: RegisterRequest?) async -> [RegisterOutcome] {
        let results = await self.bus.read(requests.map { Self.read($0) }, before: next.map { Self.read($0) })
        return results.map { result in
            switch result {
            case .success(let reply):
                .words(
                    reply.words,
                    receivedNanoseconds: reply.receivedNanoseconds,
                    latencyNanoseconds: reply.latencyNanoseconds
                )
            case .failure(let error): .failure(Self.failure(error))
            }
        }
    }

    private static func read(_ request: RegisterRequest) -> ModbusRead {
        ModbusRead(
            unit: request.unit,
            table: self.table(request.table),
            address: request.address,
            count: request.count
        )
    }

    func write(_ request: RegisterWrite) async -> BusFailure? {
        do throws(ModbusError) {
            let write: ModbusWrite =
                request.table == .coil
                ? .coil(address: request.address, isOn: request.value != 0)
                : .register(address: request.address, value: request.value)
            try await self.bus.write(write, unit: request.unit)
            return nil
        } catch {
            return Self.failure(error)
        }
    }

    static func table(_ table: ModbusWire.Table) -> ModbusTable {
        switch table {
        case .coil: .coils
        case .discrete: .discreteInputs
        case .holding: .holdingRegisters
        case .input: .inputRegisters
        }
    }

    private static func failure(_ error: ModbusError) -> BusFailure {
        let reason: DeviceHealth.Reason =
            switch error.code {
            case .timeout: .timeout
            case .notConnected, .tooManyDescriptors, .invalidRequest: .notConnected
            case .backedOff: .timeout
            case .badReply: .badReply
            default: .exception
            }
        return BusFailure(
            reason: reason,
            exceptionCode: error.exception,
            isBackedOff: error.code == .backedOff,
            message: error.description,
            frames: error.exchange.map { exchange in
                BusFrames(request: exchange.request, response: exchange.response, unitOffset: exchange.unitOffset)
            }
        )
    }
}

extension SiteDefinition.Bus {
    /// The endpoint for the transport; `nil` for a bus on which something else is spoken.
    var endpoint: ModbusEndpoint? {
        switch self.medium {
        case .line: return nil
        case .tcp(let host, let port): return .tcp(host: host, port: port)
        case .rtu(let device, let baud, let parity, let dataBits, let stopBits):
            let parity: ModbusEndpoint.Parity =
                switch parity {
                case .none: .none
                case .even: .even
                case .odd: .odd
                }
            return .rtu(device: device, baud: baud, parity: parity, dataBits: dataBits, stopBits: stopBits)
        }
    }
}

extension ModbusOptions {
    /// How patient a bus is; see ``ConfigurationFiles/patience(of:)``.
    init(_ patience: BusPatience) {
        self.init(
            timeoutMilliseconds: patience.timeoutMilliseconds,
            pauseMilliseconds: patience.pauseMilliseconds,
            connectPauseMilliseconds: patience.connectPauseMilliseconds
        )
    }
}
