import Synchronization

@testable import TimeSeriesRing

#if THREAD_SANITIZER
// Two modules have one; this is the one that the sanitizer sees.
@testable import struct TimeSeriesRing.Mutex
#endif

/// A card that does what cards do when the power goes.
///
/// What was written since the last flush is on it in part: each sector of 512 bytes is the old one, the new one, half
/// of it, or garbage, whatever the order of the writes. What was flushed stays, but for the surroundings of a write
/// that was under way, where ``Faults/isCollateral`` says so.
final class SimulatedDevice: BlockDevice {
    struct Faults: Sendable {
        /// A cut destroys sectors in the same 16 KiB as a write that was under way.
        var isCollateral = false
        /// One in so many writes fails with an error after half of it; 0 = none.
        var failingWrites: UInt64 = 0
        /// One in so many flushes fails; what was written before it may be lost for ever.
        var failingFlushes: UInt64 = 0
        /// One in so many writes lands elsewhere.
        var misdirectedWrites: UInt64 = 0
        /// Flushes before a write to this range do nothing: a mutant that forgets the order.
        var swallowsFlushBefore: Range<Int>?
        /// Flushes after a write to this range do nothing.
        var swallowsFlushAfter: Range<Int>?
        /// Writes to the second superblock go to the first.
        var hasOneSuperblock = 0
    }

    private struct State {
        var durable: [UInt8]
        var pending: [(offset: Int, bytes: [UInt8])] = []
        /// Calls until the power goes; `nil` = never.
        var left: Int?
        var isOff = false
        var lottery: Lottery
        var lastWrite = 0
        var isFlushHeld = false
        var writtenBytes = 0
        var readBytes = 0
        var calls = 0
    }

    let size: Int
    private let faults: Faults
    private let state: Mutex<State>

    init(size: Int, seed: UInt64, faults: Faults = Faults(), bytes: [UInt8]? = nil) {
        self.size = size
        self.faults = faults
        self.state = Mutex(
            State(durable: bytes ?? [UInt8](repeating: 0, count: size), lottery: Lottery(seed: seed &+ 77))
        )
    }

    /// The power goes after so many more calls.
    func cutPower(after calls: Int?) { self.state.withLock { $0.left = calls } }

    var isOff: Bool { self.state.withLock { $0.isOff } }
    var calls: Int { self.state.withLock { $0.calls } }
    var writtenBytes: Int { self.state.withLock { $0.writtenBytes } }
    var readBytes: Int { self.state.withLock { $0.readBytes } }

    private func step(_ state: inout State, _ what: String) throws(RingError) {
        if let left = state.left, !state.isOff {
            if left <= 0 { state.isOff = true } else { state.left = left - 1 }
        }
        state.calls += 1
        if state.isOff { throw RingError(.inputOutput, "\(what): the power is off") }
    }

    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws(RingError) {
        nonisolated(unsafe) let target = target
        let result: Result<Void, RingError> = self.state.withLock { state in
            do throws(RingError) {
                guard !state.isOff else { throw RingError(.inputOutput, "read: the power is off") }
                guard offset >= 0, offset + target.count <= self.size else {
                    throw RingError(.inputOutput, "a read beyond the end")
                }
                target.copyBytes(from: state.durable[offset..<(offset + target.count)])
                state.readBytes += target.count
                for write in state.pending {
                    let start = max(offset, write.offset)
                    let end = min(offset + target.count, write.offset + write.bytes.count)
                    guard start < end else { continue }
                    for place in start..<end { target[place - offset] = write.bytes[place - write.offset] }
                }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(RingError) {
        let bytes = Array(source)
        let result: Result<Void, RingError> = self.state.withLock { state in
            do throws(RingError) {
                var offset = offset
                if self.faults.hasOneSuperblock > 0, offset == self.faults.hasOneSuperblock { offset = 0 }
                guard offset >= 0, offset + bytes.count <= self.size else {
                    throw RingError(.inputOutput, "a write beyond the end")
                }
                if let range = self.faults.swallowsFlushBefore, !range.contains(offset) { state.isFlushHeld = false }
                state.lastWrite = offset
                state.writtenBytes += bytes.count
                // The write that the power interrupts is under way as well.
                if self.isHit(self.faults.misdirectedWrites, &state) {
                    let elsewhere =
                        Int(state.lottery.next() % UInt64(max(1, (self.size - bytes.count) / 4_096))) * 4_096
                    state.pending.append((elsewhere, bytes))
                    return try self.stepped(&state)
                }
                if self.isHit(self.faults.failingWrites, &state) {
                    state.pending.append((offset, Array(bytes.prefix(bytes.count / 2))))
                    throw RingError(.inputOutput, "the write failed")
                }
                state.pending.append((offset, bytes))
                return try self.stepped(&state)
            } catch { return .failure(error) }
        }
        try result.get()
    }

    private func stepped(_ state: inout State) throws(RingError) -> Result<Void, RingError> {
        try self.step(&state, "write")
        return .success(())
    }

    private func isHit(_ one: UInt64, _ state: inout State) -> Bool { one > 0 && state.lottery.next() % one == 0 }

    func flush() throws(RingError) {
        let result: Result<Void, RingError> = self.state.withLock { state in
            do throws(RingError) {
                try self.step(&state, "flush")
                if self.isHit(self.faults.failingFlushes, &state) {
                    self.tear(&state)
                    throw RingError(.inputOutput, "the flush failed")
                }
                if self.faults.swallowsFlushAfter?.contains(state.lastWrite) == true { return .success(()) }
                if self.faults.swallowsFlushBefore?.contains(state.lastWrite) == true { return .success(()) }
                for write in state.pending {
                    state.durable.replaceSubrange(write.offset..<(write.offset + write.bytes.count), with: write.bytes)
                }
                state.pending = []
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Each sector that was not flushed becomes something.
    private func tear(_ state: inout State) {
        var touched: Set<Int> = []
        for write in state.pending {
            // A whole write may be there or not; most often it is torn.
            let fate = state.lottery.next() % 4
            if fate == 0 { continue }
            if fate == 1 {
                state.durable.replaceSubrange(write.offset..<(write.offset + write.bytes.count), with: write.bytes)
                continue
            }
            var start = 0
            while start < write.bytes.count {
                let offset = write.offset + start
                let count = min(512 - offset % 512, write.bytes.count - start)
                touched.insert(offset / 16_384)
                let new = write.bytes[start..<(start + count)]
                switch state.lottery.next() % 20 {
                case 0..<7: break
                case 7..<15: state.durable.replaceSubrange(offset..<(offset + count), with: new)
                case 15..<18:
                    let half = Int(state.lottery.next() % UInt64(count + 1))
                    state.durable.replaceSubrange(offset..<(offset + half), with: new.prefix(half))
                default:
                    for place in offset..<(offset + count) {
                        state.durable[place] = UInt8(truncatingIfNeeded: state.lottery.next())
                    }
                }
                start += count
            }
        }
        state.pending = []
        guard self.faults.isCollateral else { return }
        for unit in touched.sorted() where state.lottery.next() % 10 < 3 {
            for sector in 0..<32 where state.lottery.next() % 2 == 0 {
                let start = unit * 16_384 + sector * 512
                guard start + 512 <= self.size else { continue }
                for place in start..<(start + 512) {
                    state.durable[place] = UInt8(truncatingIfNeeded: state.lottery.next())
                }
            }
        }
    }

    /// What is on the card after the cut.
    func afterCut() -> [UInt8] {
        self.state.withLock { state in
            self.tear(&state)
            return state.durable
        }
    }
}
