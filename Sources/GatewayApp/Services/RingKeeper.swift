internal import CampusModel
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import SiteConfiguration
internal import TimeSeriesRing

/// Writes the ring to the card every few seconds, on a thread that may wait for it, dates it when the system's clock is
/// set, and seals it at the end.
struct RingKeeper: Service {
    let ring: TimeSeriesRing
    let store: RingStore
    let clock: any TickClock
    let commit: GatewayConfiguration.Commit
    let logger: Logger

    func run() async throws {
        let watch = ClockWatch(started: self.clock.now())
        await cancelWhenGracefulShutdown {
            var schedule = CommitSchedule(interval: self.commit)
            let start = ContinuousClock.now
            var seconds = 0
            while !Task.isCancelled {
                // Whole seconds since the start, so that a slow card does not stretch the intervals.
                seconds = max(seconds, Int((ContinuousClock.now - start).components.seconds)) + 1
                try? await Task.sleep(until: start + .seconds(seconds), clock: .continuous)
                let hasUrgent = self.store.takeUrgent()
                // An arena that is nearly full does not wait for the next commit.
                if schedule.isDue(second: seconds, hasUrgent: hasUrgent) || self.ring.isSealDue {
                    let isDone = await self.perform("the ring cannot be written; a power cut would lose more") {
                        // What a seal needed is not needed until the next one.
                        if try $0.maintain() { $0.trimResidentPages() }
                    }
                    if hasUrgent, !isDone { self.store.giveBackUrgent() }
                } else if hasUrgent {
                    self.store.giveBackUrgent()
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

    /// Returns whether it went well; logs where not.
    @discardableResult
    private func perform(
        _ trouble: String,
        _ body: @escaping @Sendable (TimeSeriesRing) throws -> Void
    ) async -> Bool {
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
        return error == nil
    }
}
