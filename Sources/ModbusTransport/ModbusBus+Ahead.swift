internal import BusThread
internal import Glibc
internal import Synchronization

/// A request whose reply nobody has taken yet.
struct RequestAhead {
    var read: ModbusRead
    var bytes: [UInt8]
    var sentNanoseconds: UInt64
}

/// Asking before somebody waits: while one reply is decoded and stored, the next is on its way.
///
/// There is never more than one request under way, so a device sees what it always saw.
extension ModbusBus {
    /// Sends a request whose reply is taken later, if nothing else is to be done before.
    func ask(_ read: ModbusRead) {
        guard self.isTCP, self.options.pauseMilliseconds == 0, !Task.isCancelled, self.ahead == nil,
            self.commands.withLock({ $0.isEmpty }), self.units[read.unit] == nil, let context, context.isReady(),
            let bytes = try? ModbusFrames.request(read)
        else { return }
        self.counters.requests &+= 1
        let start = boottimeNanoseconds()
        do throws(ModbusError) {
            try context.ask(bytes)
            self.ahead = RequestAhead(read: read, bytes: bytes, sentNanoseconds: start)
        } catch {
            self.settle(error, unit: read.unit, ReplyShape(of: read), context)
        }
    }

    /// Takes the reply to the request that was sent ahead.
    @discardableResult
    func takeAhead() throws(ModbusError) -> ModbusReply {
        guard let ahead = self.ahead, let context = self.context else {
            throw ModbusError(.notConnected, "\(self.endpoint.name): nothing was asked")
        }
        self.ahead = nil
        // What waits already came at some moment since it was asked for; its values are no newer than that.
        let wasThere = context.hasReply
        do throws(ModbusError) {
            let reply: ModbusReply = try context.answer(ahead.bytes) { reply in
                ModbusFrames.words(reply, for: ahead.read)
                    .map { words in
                        let end = boottimeNanoseconds()
                        return ModbusReply(
                            words: words,
                            receivedNanoseconds: wasThere ? ahead.sentNanoseconds : end,
                            latencyNanoseconds: end &- ahead.sentNanoseconds
                        )
                    }
            }
            self.answered(ahead.read.unit)
            return reply
        } catch {
            self.settle(error, unit: ahead.read.unit, ReplyShape(of: ahead.read), context)
            throw error
        }
    }
}
