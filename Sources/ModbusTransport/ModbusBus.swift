internal import BusThread
internal import Glibc
internal import Synchronization

/// One Modbus endpoint: a TCP address or a serial line, on a private queue of its own.
///
/// Nothing read here is ever attributed to another register: on TCP a failed exchange ends the connection and replies
/// carry the transaction of their request (see ``ModbusContext``), on a serial line a failed exchange is followed by
/// silence and a fence (see ``LateReplies``). What no master can notice is a unit that answers one request twice on a
/// serial line, the second time while the next request of the same shape is out.
package actor ModbusBus {
    package nonisolated let endpoint: ModbusEndpoint
    private let executor: DedicatedExecutor
    let options: ModbusOptions
    private let now: @Sendable () -> UInt64
    let isTCP: Bool
    private(set) var context: ModbusContext?
    private var connection = BackOff()
    private(set) var units: [UInt8: BackOff] = [:]
    private var lateReplies = LateReplies()
    var counters = ModbusStatistics()
    /// Commands that wait; they go between two requests of a poll.
    nonisolated let commands = Mutex<[BusCommand]>([])
    /// The request that was sent while nobody waited for its reply yet; only on TCP.
    var ahead: RequestAhead?
    // Deadlines of the bus itself, always in real time; 0 is the past.
    private var nextRequestNanoseconds: UInt64 = 0
    private var nextConnectNanoseconds: UInt64 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    /// For the task that mostly talks to this bus.
    package nonisolated var taskExecutor: any TaskExecutor { self.executor }

    /// Makes a bus; it connects at the first request.
    ///
    /// - Parameter now: `CLOCK_BOOTTIME` in nanoseconds for the back-off; a test brings its own.
    package init(
        endpoint: ModbusEndpoint,
        options: ModbusOptions = ModbusOptions(),
        now: @escaping @Sendable () -> UInt64 = boottimeNanoseconds
    ) {
        self.endpoint = endpoint
        self.options = options
        self.now = now
        self.executor = DedicatedExecutor(label: "mb:\(endpoint.name.suffix(12))")
        if case .tcp = endpoint { self.isTCP = true } else { self.isTCP = false }
    }

    /// What happened so far.
    package var statistics: ModbusStatistics {
        var copy = self.counters
        copy.isConnected = self.context?.isConnected ?? false
        let time = self.now()
        copy.silentUnits = self.units.filter { $0.value.isWaiting(at: time) }.keys.sorted()
        return copy
    }

    /// Reads everything in order, in one stay on the bus.
    ///
    /// Once a unit does not answer, its other requests of the batch fail at once with the same error. When the task is
    /// cancelled, what is not yet read fails as backed off.
    ///
    /// - Parameter next: What will be read next. On TCP it is sent as soon as the last reply of the batch is there, so
    ///   that the device works on it while this one is decoded; there is never more than one request under way.
    package func read(_ requests: [ModbusRead], before next: ModbusRead? = nil) -> [Result<ModbusReply, ModbusError>] {
        var silent: [UInt8: ModbusError] = [:]
        let results: [Result<ModbusReply, ModbusError>] = requests.map { request in
            if self.ahead?.read == request { return Result { () throws(ModbusError) in try self.takeAhead() } }
            self.runCommands()
            if let error = silent[request.unit] {
                self.counters.backedOff &+= 1
                return .failure(error)
            }
            if Task.isCancelled {
                self.counters.backedOff &+= 1
                return .failure(ModbusError(.backedOff, "\(self.endpoint.name): the read was cancelled"))
            }
            do throws(ModbusError) {
                return .success(try self.read(request))
            } catch {
                if error.meansSilence { silent[request.unit] = error }
                return .failure(error)
            }
        }
        if let next, case .success = results.last { self.ask(next) }
        return results
    }

    /// Reads one block.
    package func read(_ request: ModbusRead) throws(ModbusError) -> ModbusReply {
        let bytes = try ModbusFrames.request(request)
        return try self.perform(bytes, ReplyShape(of: request), near: request) { (start: UInt64, reply) in
            ModbusFrames.words(reply, for: request)
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
        let shape = ReplyShape(function: bytes[1], byteCount: 0)
        try self.perform(bytes, shape, near: write.neighbour(unit: unit)) { (_: UInt64, reply) in
            reply.elementsEqual(echo) ? () : nil
        }
    }

    /// Writes and, in the same stay on the bus, reads back: after the request that is under way, before the rest of a
    /// poll.
    ///
    /// Refused where ``BusCommand/waitingMax`` commands wait already.
    package nonisolated func command(_ write: ModbusWrite, unit: UInt8, thenRead read: ModbusRead?) async -> BusReply {
        await withCheckedContinuation { continuation in
            let command = BusCommand(write: write, unit: unit, read: read) { continuation.resume(returning: $0) }
            let isTaken = self.commands.withLock { commands in
                guard commands.count < BusCommand.waitingMax else { return false }
                commands.append(command)
                return true
            }
            guard isTaken else {
                let error = ModbusError(.backedOff, "\(self.endpoint.name): too many commands wait for the bus")
                return continuation.resume(returning: BusReply(write: .failure(error)))
            }
            self.executor.perform { self.assumeIsolated { $0.runCommands() } }
        }
    }

    private func runCommands() {
        while let command = self.commands.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            var reply = BusReply(write: .success(()))
            do throws(ModbusError) {
                try self.write(command.write, unit: command.unit)
            } catch {
                reply.write = .failure(error)
            }
            // A device that refused shows what it has; one that did not answer may have obeyed all the same.
            if let read = command.read, reply.wasSent {
                do throws(ModbusError) {
                    reply.read = .success(try self.read(read))
                } catch {
                    reply.read = .failure(error)
                }
            }
            command.finish(reply)
        }
    }

    /// Writes registers and reads others in one transaction (function 23).
    package func writeAndRead(
        unit: UInt8,
        write values: [UInt16],
        at writeAddress: UInt16,
        read count: UInt16,
        at readAddress: UInt16
    ) throws(ModbusError) -> [UInt16] {
        let read = ModbusRead(unit: unit, table: .holdingRegisters, address: readAddress, count: count)
        let bytes = try ModbusFrames.request(read, writing: values, at: writeAddress)
        let shape = ReplyShape(function: 23, byteCount: Int(count) * 2)
        return try self.perform(bytes, shape, near: read) { (_: UInt64, reply) in ModbusFrames.words(reply, for: read) }
    }

    private func perform<Reply>(
        _ bytes: [UInt8],
        _ shape: ReplyShape,
        near read: ModbusRead,
        _ body: (UInt64, UnsafeBufferPointer<UInt8>) -> Reply?
    ) throws(ModbusError) -> Reply {
        let unit = bytes[0]
        guard self.isTCP || (1...247).contains(unit) else {
            throw ModbusError(.invalidRequest, "\(self.endpoint.name): a serial line has units 1 to 247, not \(unit)")
        }
        let time = self.now()
        if self.units[unit]?.isWaiting(at: time) ?? false {
            self.counters.backedOff &+= 1
            throw ModbusError(.backedOff, "\(self.endpoint.name), unit \(unit): silent; it is tried again later")
        }
        // Something else than was expected is asked first: the reply under way is nobody's.
        if self.ahead != nil { _ = try? self.takeAhead() }
        let context = try self.connected(at: time)
        if self.lateReplies.isOwed(by: unit) { try self.fence(context, before: shape, near: read) }
        return try self.exchange(context, bytes, shape, body)
    }

    private func connected(at time: UInt64) throws(ModbusError) -> ModbusContext {
        if let context, context.isConnected {
            if context.isReady() { return context }
            context.close()
        }
        if self.connection.isWaiting(at: time) {
            self.counters.backedOff &+= 1
            throw ModbusError(.backedOff, "\(self.endpoint.name): not connected; it is tried again in a moment")
        }
        guard let context = self.context ?? ModbusContext(self.endpoint, self.options) else {
            throw ModbusError(.invalidRequest, "\(self.endpoint.name): libmodbus does not accept these settings")
        }
        self.context = context
        // Small devices need a moment to forget the old connection.
        Self.sleep(until: self.nextConnectNanoseconds)
        self.nextConnectNanoseconds = Self.deadline(after: self.options.reconnectMilliseconds)
        if let error = context.connect() {
            self.connectionFailed()
            throw error
        }
        self.counters.connects &+= 1
        self.nextRequestNanoseconds = max(
            self.nextRequestNanoseconds,
            Self.deadline(after: self.options.connectPauseMilliseconds)
        )
        return context
    }

    /// Sends one request when the line is free and settles what comes of it.
    private func exchange<Reply>(
        _ context: ModbusContext,
        _ bytes: [UInt8],
        _ shape: ReplyShape,
        _ body: (UInt64, UnsafeBufferPointer<UInt8>) -> Reply?
    ) throws(ModbusError) -> Reply {
        Self.sleep(until: self.nextRequestNanoseconds)
        self.counters.requests &+= 1
        let start = boottimeNanoseconds()
        do throws(ModbusError) {
            let reply = try context.exchange(bytes) { body(start, $0) }
            self.answered(bytes[0])
            return reply
        } catch {
            self.settle(error, unit: bytes[0], shape, context)
            throw error
        }
    }

    /// After a failure on a serial line: proves with an answer that is thrown away that nothing older is on its way.
    private func fence(_ context: ModbusContext, before next: ReplyShape, near read: ModbusRead) throws(ModbusError) {
        for _ in 0..<3 {
            let fence = self.lateReplies.fence(before: next, like: read)
            let bytes = try ModbusFrames.request(fence)
            self.counters.fences &+= 1
            do throws(ModbusError) {
                try self.exchange(context, bytes, ReplyShape(of: fence)) { (_: UInt64, reply) in
                    ModbusFrames.words(reply, for: fence).map { _ in () }
                }
                self.lateReplies.clear(fence.unit)
                return
            } catch {
                // Here it is, the late reply; or noise.
                if error.code == .badReply { continue }
                guard error.exception > 0 else { throw error }
                // An exception is an answer, too.
                self.lateReplies.clear(fence.unit)
                return
            }
        }
        throw ModbusError(
            .badReply,
            "\(self.endpoint.name): replies do not fit their requests; is there a second master?"
        )
    }

    func answered(_ unit: UInt8) {
        self.units[unit] = nil
        self.connection.succeeded()
        self.nextRequestNanoseconds = Self.deadline(after: self.options.pauseMilliseconds)
    }

    /// Makes sure that nothing of a failed exchange can meet the next one.
    func settle(_ error: ModbusError, unit: UInt8, _ shape: ReplyShape, _ context: ModbusContext) {
        switch error.code {
        case .timeout: self.counters.timeouts &+= 1
        case .badReply: self.counters.badReplies &+= 1
        case .invalidRequest: return
        case .notConnected:
            context.close()
            self.connectionFailed()
            if !self.isTCP { self.lateReplies.expect(shape, from: unit) }
            return
        default:
            self.counters.exceptions &+= 1
            self.answered(unit)
            if error.meansSilence { self.unitFailed(unit) }
            return
        }
        if self.isTCP {
            context.close()
            self.nextConnectNanoseconds = Self.deadline(after: self.options.reconnectMilliseconds)
        } else {
            self.lateReplies.expect(shape, from: unit)
            let quietMilliseconds = max(self.options.lateReplyMilliseconds, self.options.pauseMilliseconds)
            self.nextRequestNanoseconds = Self.deadline(after: quietMilliseconds)
        }
        self.unitFailed(unit)
    }

    private func unitFailed(_ unit: UInt8) {
        self.units[unit, default: BackOff()]
            .failed(
                at: self.now(),
                threshold: self.options.timeoutsToBackOff,
                firstMilliseconds: self.options.backoffMilliseconds,
                maximumMilliseconds: self.options.backoffMaxMilliseconds
            )
    }

    private func connectionFailed() {
        self.connection.failed(
            at: self.now(),
            threshold: 1,
            firstMilliseconds: self.options.reconnectMilliseconds,
            maximumMilliseconds: self.options.reconnectMaxMilliseconds
        )
    }

    private static func deadline(after milliseconds: Int) -> UInt64 {
        guard milliseconds > 0 else { return 0 }
        return boottimeNanoseconds() &+ UInt64(min(milliseconds, 3_600_000)) &* 1_000_000
    }

    private static func sleep(until deadlineNanoseconds: UInt64) {
        guard deadlineNanoseconds > 0 else { return }
        let now = boottimeNanoseconds()
        guard now < deadlineNanoseconds else { return }
        blockingSleep(milliseconds: Int(clamping: (deadlineNanoseconds - now) / 1_000_000 + 1))
    }
}
