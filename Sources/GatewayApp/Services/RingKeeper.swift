internal import CampusModel
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import TimeSeriesRing

/// Writes the ring to the card every few seconds, on a thread that may wait for it, dates it when the system's clock is
/// set, and seals it at the end.
struct RingKeeper: Service {
    let ring: TimeSeriesRing
    let clock: any TickClock
    let commitSeconds: Int
    let logger: Logger

    func run() async throws {
        let watch = ClockWatch(started: self.clock.now())
        await cancelWhenGracefulShutdown {
            var seconds = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                seconds += 1
                // An arena that is nearly full does not wait for the next commit.
                if seconds % max(self.commitSeconds, 1) == 0 || self.ring.isSealDue {
                    await self.perform("the ring cannot be written; a power cut would lose more") {
                        // What a seal needed is not needed until the next one.
                        if try $0.maintain() { $0.trimResidentPages() }
                    }
                }
                if let row = watch.look(now: self.clock.now(), map: self.ring.clock) {
                    self.logger.notice("the system's clock was set", metadata: ["offset": "\(row.offset) ms"])
                    await self.perform("the ring's dates cannot be written") { try $0.setClock(row) }
                }
                if seconds % 30 == 0 { await self.perform("memory was not given back") { $0.trimResidentPages() } }
            }
        }
        await self.perform("the ring cannot be sealed; its memory is read at the next start") { try $0.seal() }
    }

    private func perform(_ trouble: String, _ body: @escaping @Sendable (TimeSeriesRing) throws -> Void) async {
        let ring = self.ring
        let error: (any Error)? = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility)
                .async {
                    do {
                        try body(ring)
                        continuation.resume(returning: nil)
                    } catch {
                        continuation.resume(returning: error)
                    }
                }
        }
        if let error { self.logger.error("\(trouble)", metadata: ["error": "\(error)"]) }
    }
}
