internal import Foundation
internal import Synchronization

/// What a bus did since it was made.
package struct ModbusStatistics: Sendable, Hashable {
    package internal(set) var requests: UInt64 = 0
    package internal(set) var timeouts: UInt64 = 0
    package internal(set) var exceptions: UInt64 = 0
    package internal(set) var badReplies: UInt64 = 0
    package internal(set) var connects: UInt64 = 0
    /// Requests not sent because their unit or endpoint was down.
    package internal(set) var backedOff: UInt64 = 0
    package internal(set) var isConnected = false
}

/// One Modbus endpoint: a TCP address or a serial line, on a private queue of its own.
package actor ModbusBus {
    package nonisolated let endpoint: ModbusEndpoint
    private let executor: DedicatedExecutor
    private let options: ModbusOptions
    private let now: @Sendable () -> UInt64
    private var context: ModbusContext?
    private var connection = BackOff()
    private var units: [UInt8: BackOff] = [:]
    private var lastExchangeNanoseconds: UInt64 = 0
    private var needsFence = false
    private var counters = ModbusStatistics()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// Makes a bus; it connects at the first request.
    ///
    /// - Parameter now: `CLOCK_BOOTTIME` in nanoseconds; a test brings its own.
    package init(
        endpoint: ModbusEndpoint,
        options: ModbusOptions = ModbusOptions(),
        now: @escaping @Sendable () -> UInt64 = boottimeNanoseconds
    ) {
        self.endpoint = endpoint
        self.options = options
        self.now = now
        self.executor = DedicatedExecutor(label: "mb:\(endpoint.name.suffix(12))")
    }

    /// What happened so far.
    package var statistics: ModbusStatistics {
        var copy = self.counters
        copy.isConnected = self.context?.isConnected ?? false
        return copy
    }

    /// Reads everything in order, in one stay on the bus.
    ///
    /// Once a unit does not answer, its other requests of the batch fail at once.
    package func read(_ requests: [ModbusRead]) -> [Result<ModbusReply, ModbusError>] {
        var silent: [UInt8: ModbusError] = [:]
        return requests.map { request in
            if let error = silent[request.unit] {
                self.counters.backedOff &+= 1
                return .failure(error)
            }
            do throws(ModbusError) {
                return .success(try self.read(request))
            } catch {
                switch error.code {
                case .timeout, .notConnected, .backedOff, .tooManyDescriptors: silent[request.unit] = error
                default: break
                }
                return .failure(error)
            }
        }
    }

    /// Reads one block.
    package func read(_ request: ModbusRead) throws(ModbusError) -> ModbusReply {
        let bytes = try ModbusFrames.request(request)
        return try self.perform(bytes, fence: request) { (start: UInt64, reply) in
            ModbusFrames.words(reply, at: 0, for: request)
                .map { words in
                    let end = boottimeNanoseconds()
                    return ModbusReply(words: words, receivedNanoseconds: end, latencyNanoseconds: end &- start)
                }
        }
    }

    /// Writes, and checks that the device confirms just what was written.
    package func write(_ write: ModbusWrite, unit: UInt8) throws(ModbusError) {
        let bytes = try ModbusFrames.request(write, unit: unit)
        // Functions 5, 6 and 22 echo the request; 15 and 16 echo address and count.
        let echo = Array(bytes[1..<(bytes[1] == 15 || bytes[1] == 16 ? 6 : bytes.count)])
        try self.perform(bytes, fence: nil) { (_: UInt64, reply) in reply.elementsEqual(echo) ? () : nil }
    }

    /// Writes registers and reads others in one transaction (function 23).
    package func writeAndRead(
        unit: UInt8,
        write values: [UInt16],
        at writeAddress: UInt16,
        read count: UInt16,
        at readAddress: UInt16
    ) throws(ModbusError) -> [UInt16] {
        guard (1...121).contains(values.count), (1...125).contains(count) else {
            throw ModbusError(.invalidRequest, "function 23 writes 1 to 121 and reads 1 to 125 registers")
        }
        let written = UInt16(values.count)
        let bytes: [UInt8] =
            [unit, 23]
            + [readAddress, count, writeAddress, written].flatMap { [ModbusFrames.high($0), ModbusFrames.low($0)] }
            + [UInt8(values.count * 2)] + values.flatMap { [ModbusFrames.high($0), ModbusFrames.low($0)] }
        let read = ModbusRead(unit: unit, table: .holdingRegisters, address: readAddress, count: count)
        return try self.perform(bytes, fence: nil) { (_: UInt64, reply) in
            ModbusFrames.words(reply, at: 0, for: read)
        }
    }

    private func perform<Reply>(
        _ bytes: [UInt8],
        fence: ModbusRead?,
        _ body: (UInt64, UnsafeBufferPointer<UInt8>) -> Reply?
    ) throws(ModbusError) -> Reply {
        let unit = bytes[0]
        let time = self.now()
        if self.units[unit]?.isWaiting(at: time) ?? false {
            self.counters.backedOff &+= 1
            throw ModbusError(.backedOff, "\(self.endpoint.name), unit \(unit): silent; it is tried again later")
        }
        let context = try self.connected(at: time)
        if self.needsFence { try self.clearLine(context, unit: unit, like: fence) }
        self.pause()
        self.counters.requests &+= 1
        let start = boottimeNanoseconds()
        do throws(ModbusError) {
            let reply = try context.exchange(bytes) { body(start, $0) }
            self.lastExchangeNanoseconds = boottimeNanoseconds()
            self.units[unit] = nil
            return reply
        } catch {
            self.lastExchangeNanoseconds = boottimeNanoseconds()
            self.settle(error, unit: unit, context)
            throw error
        }
    }

    private func connected(at time: UInt64) throws(ModbusError) -> ModbusContext {
        if let context, context.isConnected { return context }
        if self.connection.isWaiting(at: time) {
            self.counters.backedOff &+= 1
            throw ModbusError(.backedOff, "\(self.endpoint.name): not connected; it is tried again in a moment")
        }
        guard let context = self.context ?? ModbusContext(self.endpoint, self.options) else {
            throw ModbusError(.invalidRequest, "\(self.endpoint.name): libmodbus does not accept these settings")
        }
        self.context = context
        if let error = context.connect() {
            self.connection.failed(
                at: self.now(),
                threshold: 1,
                firstMilliseconds: self.options.reconnectMilliseconds,
                maximumMilliseconds: self.options.reconnectMaxMilliseconds
            )
            throw error
        }
        self.counters.connects &+= 1
        self.connection.succeeded()
        self.needsFence = false
        return context
    }

    /// Makes sure that nothing of a failed exchange can meet the next one.
    private func settle(_ error: ModbusError, unit: UInt8, _ context: ModbusContext) {
        switch error.code {
        case .timeout: self.counters.timeouts &+= 1
        case .badReply: self.counters.badReplies &+= 1
        case .notConnected: break
        default:
            self.counters.exceptions &+= 1
            self.units[unit] = nil
            return
        }
        if case .rtu = self.endpoint, error.code != .notConnected {
            self.needsFence = true
        } else {
            // A late reply would answer the next request; on a new connection it cannot.
            context.close()
        }
        if error.code == .timeout {
            self.units[unit, default: BackOff()]
                .failed(
                    at: self.now(),
                    threshold: self.options.timeoutsToBackOff,
                    firstMilliseconds: self.options.backoffMilliseconds,
                    maximumMilliseconds: self.options.backoffMaxMilliseconds
                )
        } else if error.code == .notConnected {
            self.connection.failed(
                at: self.now(),
                threshold: 1,
                firstMilliseconds: self.options.reconnectMilliseconds,
                maximumMilliseconds: self.options.reconnectMaxMilliseconds
            )
        }
    }

    /// RTU after a time-out: waits until a late reply must be over, throws it away, and reads a block of another
    /// length, whose answer is thrown away as well.
    ///
    /// A late reply that comes even now has the wrong length and is noticed.
    private func clearLine(_ context: ModbusContext, unit: UInt8, like request: ModbusRead?) throws(ModbusError) {
        for _ in 0..<3 {
            blockingSleep(milliseconds: self.options.lateReplyMilliseconds)
            context.flush()
            guard var fence = request else {
                self.needsFence = false
                return
            }
            fence.count = fence.count > 1 ? fence.count - 1 : 2
            if Int(fence.address) + Int(fence.count) > 65_536 { fence.address -= 1 }
            self.counters.requests &+= 1
            do throws(ModbusError) {
                try context.exchange(try ModbusFrames.request(fence)) { reply in
                    ModbusFrames.words(reply, at: 0, for: fence).map { _ in () }
                }
                self.needsFence = false
                return
            } catch {
                switch error.code {
                case .timeout:
                    self.settle(error, unit: unit, context)
                    throw error
                case .badReply: continue
                case .notConnected:
                    self.settle(error, unit: unit, context)
                    throw error
                default:
                    // An exception is an answer, too.
                    self.needsFence = false
                    return
                }
            }
        }
        throw ModbusError(
            .badReply,
            "\(self.endpoint.name): replies do not fit their requests; is there a second master?"
        )
    }

    private func pause() {
        guard self.options.pauseMilliseconds > 0, self.lastExchangeNanoseconds > 0 else { return }
        let wanted = UInt64(self.options.pauseMilliseconds) &* 1_000_000
        let passed = boottimeNanoseconds() &- self.lastExchangeNanoseconds
        if passed < wanted { blockingSleep(milliseconds: Int((wanted - passed) / 1_000_000) + 1) }
    }
}

/// `CLOCK_BOOTTIME` in nanoseconds.
package func boottimeNanoseconds() -> UInt64 {
    var time = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
