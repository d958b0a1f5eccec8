internal import BusThread

/// One line endpoint: a TCP address or a serial port that is asked line by line, on a private queue of its own.
///
/// No reply is ever attributed to another request: over TCP a failed exchange ends the connection, and a connection on
/// which something waits unasked is not used; on a serial line a failed exchange is followed by silence and a fence
/// (see ``LateLines``). What nobody can notice is a device that speaks unasked in the form of a reply while its request
/// is out.
package actor LineBus {
    package nonisolated let endpoint: LineEndpoint
    private let executor: DedicatedExecutor
    private let options: LineOptions
    private let dialect: any LineDialect
    private let now: @Sendable () -> UInt64
    private var port: LinePort?
    private var buffer: [UInt8] = []
    /// What leads the next request, as the greeting asks for.
    private var prefix: [UInt8] = []
    private var connection = BackOff()
    private var units: [UInt8: BackOff] = [:]
    private var lateLines = LateLines()
    private var needsSilence = false
    private var counters = LineStatistics()
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
        endpoint: LineEndpoint,
        dialect: any LineDialect,
        options: LineOptions = LineOptions(),
        now: @escaping @Sendable () -> UInt64 = boottimeNanoseconds
    ) {
        self.endpoint = endpoint
        self.dialect = dialect
        self.options = options
        self.now = now
        self.executor = DedicatedExecutor(label: "ln:\(endpoint.name.suffix(12))")
    }

    /// What happened so far.
    package var statistics: LineStatistics {
        var copy = self.counters
        copy.isConnected = self.port != nil
        return copy
    }

    /// Asks everything in order, in one stay on the bus.
    ///
    /// Once a unit does not answer, its other requests of the batch fail at once with the same error. When the task is
    /// cancelled, what is not yet asked fails as backed off.
    ///
    /// - Parameter fences: What may be asked of the same units to prove that nothing older is on its way.
    package func ask(_ requests: [LineRequest], fences: [LineRequest] = []) -> [Result<LineReply, LineError>] {
        var silent: [UInt8: LineError] = [:]
        let results = requests.map { request -> Result<LineReply, LineError> in
            if let error = silent[request.unit] {
                self.counters.backedOff &+= 1
                var copy = error
                copy.code = .backedOff
                return .failure(copy)
            }
            if Task.isCancelled {
                self.counters.backedOff &+= 1
                return .failure(LineError(.backedOff, "\(self.endpoint.name): the request was cancelled"))
            }
            do throws(LineError) {
                return .success(try self.ask(request, fences))
            } catch {
                if error.meansSilence { silent[request.unit] = error }
                return .failure(error)
            }
        }
        if self.options.closesAfterBatch { self.port = nil }
        return results
    }

    private func ask(_ request: LineRequest, _ fences: [LineRequest]) throws(LineError) -> LineReply {
        let time = self.now()
        if self.units[request.unit]?.isWaiting(at: time) ?? false {
            self.counters.backedOff &+= 1
            throw LineError(
                .backedOff,
                "\(self.endpoint.name), unit \(request.unit): silent; it is tried again later"
            )
        }
        let port = try self.connected(at: time)
        if !port.isTCP { try self.fence(port, before: request, fences.filter { $0.unit == request.unit }) }
        return try self.exchange(port, request)
    }

    // MARK: Connecting

    private func connected(at time: UInt64) throws(LineError) -> LinePort {
        if let port {
            if !port.isTCP || port.isReady() { return port }
            self.counters.late &+= 1
            self.port = nil
        }
        if self.connection.isWaiting(at: time) {
            self.counters.backedOff &+= 1
            throw LineError(.backedOff, "\(self.endpoint.name): not connected; it is tried again in a moment")
        }
        Self.sleep(until: self.nextConnectNanoseconds)
        self.nextConnectNanoseconds = Self.deadline(after: self.options.reconnectMilliseconds)
        do throws(LineError) {
            let deadline = Self.deadline(after: max(self.options.timeoutMilliseconds, 1))
            let port = try LinePort.open(self.endpoint, until: deadline)
            self.buffer = []
            self.prefix = try self.greeted(port, until: deadline)
            self.counters.connects &+= 1
            self.port = port
            self.nextRequestNanoseconds = max(
                self.nextRequestNanoseconds,
                Self.deadline(after: self.options.connectPauseMilliseconds)
            )
            return port
        } catch {
            self.connectionFailed()
            throw error
        }
    }

    /// Waits for the greeting, where there is one; what leads the first request.
    private func greeted(_ port: LinePort, until deadline: UInt64) throws(LineError) -> [UInt8] {
        guard port.isTCP, self.dialect.hasGreeting else { return [] }
        let name = self.endpoint.name
        do throws(LineError) {
            let frame = try self.frame(from: port, until: deadline) { _ in true }
            switch self.dialect.response(to: frame[...]) {
            case .ready(let prefix): return prefix
            case .refused(let text): throw LineError(.refused, "\(name): \(text)")
            case .other: throw LineError(.badReply, "\(name): this is no greeting of such a device; is the port right?")
            }
        } catch {
            if error.code == .badReply { self.counters.badReplies &+= 1 }
            if error.code == .timeout { throw LineError(.notConnected, "\(name): connected, but it does not greet") }
            throw error
        }
    }

    private func connectionFailed() {
        self.port = nil
        self.connection.failed(
            at: self.now(),
            threshold: 1,
            firstMilliseconds: self.options.reconnectMilliseconds,
            maximumMilliseconds: self.options.reconnectMaxMilliseconds
        )
    }

    // MARK: Exchanges

    /// Sends one request when the line is free and settles what comes of it.
    private func exchange(_ port: LinePort, _ request: LineRequest) throws(LineError) -> LineReply {
        Self.sleep(until: self.nextRequestNanoseconds)
        self.counters.requests &+= 1
        let sent = self.prefix + request.bytes
        self.prefix = []
        self.buffer.removeAll(keepingCapacity: true)
        let start = boottimeNanoseconds()
        do throws(LineError) {
            let deadline = Self.deadline(after: max(self.options.timeoutMilliseconds, 1))
            if let text = port.write(sent, until: deadline) {
                throw LineError(.notConnected, "\(self.endpoint.name): the request could not be sent: \(text)")
            }
            var verdict = LineVerdict.ignored
            let frame = try self.frame(from: port, until: deadline) { frame in
                verdict = request.verdict(frame)
                return verdict != .ignored
            }
            guard verdict == .reply else { throw self.unfit(verdict, request, sent, frame) }
            let end = boottimeNanoseconds()
            // A reply and more is out of step: the next request must not meet the rest.
            if !self.dialect.isEmpty(self.buffer[...]) { self.outOfStep() }
            self.answered(request.unit)
            return LineReply(frame: frame, receivedNanoseconds: end, latencyNanoseconds: end &- start)
        } catch {
            var error = error
            error.exchange = error.exchange ?? .init(sent: sent, received: Array(self.buffer.prefix(256)))
            self.settle(error, request)
            throw error
        }
    }

    private func unfit(
        _ verdict: LineVerdict,
        _ request: LineRequest,
        _ sent: [UInt8],
        _ frame: [UInt8]
    ) -> LineError {
        let name = "\(self.endpoint.name), '\(request.name)'"
        var error =
            verdict == .refusal
            ? LineError(
                .refused,
                sent.count > request.bytes.count
                    ? "\(name): the device refuses; is the password right?" : "\(name): the device refuses"
            )
            : LineError(.badReply, "\(name): the reply does not fit the request")
        error.exchange = .init(sent: sent, received: Array(frame.prefix(256)))
        return error
    }

    /// The first frame that `isWanted`, without what does not count of it.
    ///
    /// What is left in the buffer came after it.
    private func frame(
        from port: LinePort,
        until deadline: UInt64,
        _ isWanted: (ArraySlice<UInt8>) -> Bool
    ) throws(LineError) -> [UInt8] {
        let name = self.endpoint.name
        var total = 0
        while true {
            while let length = self.dialect.frameLength(in: self.buffer[...]) {
                guard length.frame + length.end > 0 else {
                    throw LineError(.badReply, "\(name): the bytes are no frame of such a device")
                }
                let frame = self.buffer.prefix(length.frame)
                self.buffer.removeFirst(length.frame + length.end)
                total += length.frame + length.end
                if self.dialect.isEmpty(frame) { continue }
                let trimmed = self.dialect.trimmed(frame)
                if isWanted(trimmed) { return Array(trimmed) }
            }
            guard self.buffer.count + total <= LineOptions.replyBytesMax else {
                throw LineError(.badReply, "\(name): more than \(LineOptions.replyBytesMax) bytes and no reply in them")
            }
            switch port.read(into: &self.buffer, until: deadline) {
            case .bytes:
                // A peer that never stops talking has the same deadline.
                if boottimeNanoseconds() >= deadline { throw LineError(.timeout, "\(name): no whole reply in time") }
            case .deadline: throw LineError(.timeout, "\(name): no whole reply in time")
            case .ended(let text): throw LineError(.notConnected, "\(name): the connection broke: \(text)")
            }
        }
    }

    private func answered(_ unit: UInt8) {
        self.units[unit] = nil
        self.connection.succeeded()
        self.nextRequestNanoseconds = Self.deadline(after: self.options.pauseMilliseconds)
    }

    /// Makes sure that nothing of a failed exchange can meet the next one.
    private func settle(_ error: LineError, _ request: LineRequest) {
        switch error.code {
        case .refused:
            self.counters.refusals &+= 1
            self.answered(request.unit)
            // A device that refuses the password may hang up or wait for another; both begin anew.
            if self.endpoint.isTCP, error.exchange?.sent.count != request.bytes.count { self.outOfStep() }
            return
        case .timeout: self.counters.timeouts &+= 1
        case .badReply: self.counters.badReplies &+= 1
        case .notConnected:
            self.connectionFailed()
            if !self.endpoint.isTCP { self.lateLines.expect(request) }
            return
        case .backedOff: return
        }
        self.outOfStep()
        if !self.endpoint.isTCP { self.lateLines.expect(request) }
        var backOff = self.units[request.unit] ?? BackOff()
        backOff.failed(
            at: self.now(),
            threshold: self.options.timeoutsToBackOff,
            firstMilliseconds: self.options.backoffMilliseconds,
            maximumMilliseconds: self.options.backoffMaxMilliseconds
        )
        self.units[request.unit] = backOff
    }

    private func outOfStep() {
        if self.endpoint.isTCP {
            self.port = nil
            self.nextConnectNanoseconds = Self.deadline(after: self.options.reconnectMilliseconds)
        } else {
            self.needsSilence = true
        }
    }

    // MARK: Serial lines

    /// After a failure on a serial line: silence, and then an answer that is thrown away and proves that nothing older
    /// is on its way.
    private func fence(_ port: LinePort, before next: LineRequest, _ fences: [LineRequest]) throws(LineError) {
        let fence = self.lateLines.fence(before: next, among: fences)
        if self.needsSilence || self.lateLines.isOwed(by: next.unit) {
            let milliseconds =
                fence == nil ? self.options.quietWithoutFenceMilliseconds : self.options.quietMilliseconds
            guard let isQuiet = port.discardUntilQuiet(milliseconds: milliseconds) else { throw self.gone() }
            guard isQuiet else {
                self.counters.badReplies &+= 1
                throw LineError(.badReply, "\(self.endpoint.name): the line is never silent; is there a second master?")
            }
            self.needsSilence = false
        } else {
            // Something that nobody asked for, such as a key that prints.
            guard let count = port.discard() else { throw self.gone() }
            if count > 0 { self.counters.late &+= 1 }
        }
        guard self.lateLines.isOwed(by: next.unit) else { return }
        guard let fence else {
            self.lateLines.clear(next.unit)
            return
        }
        self.counters.fences &+= 1
        let proof = LineRequest(unit: fence.unit, name: fence.name, bytes: fence.bytes) { [lateLines] frame in
            let verdict = fence.verdict(frame)
            // What may as well be an older reply proves nothing.
            return verdict == .reply && !lateLines.mayBeOwed(frame, by: fence.unit) || verdict == .refusal
                ? verdict : .ignored
        }
        do throws(LineError) {
            _ = try self.exchange(port, proof)
        } catch {
            // A refusal is an answer, too.
            guard error.code == .refused else { throw error }
        }
        self.lateLines.clear(next.unit)
    }

    private func gone() -> LineError {
        self.connectionFailed()
        return LineError(.notConnected, "\(self.endpoint.name): the line is gone; is the adapter plugged in?")
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
