internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import TimeSeriesRing

/// Writes the ring back every few seconds, on a thread that may block, and keeps its resident size small.
struct RingKeeper: Service {
    let ring: TimeSeriesRing
    let intervalSeconds: Int
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var rounds = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(max(self.intervalSeconds, 1)))
                await self.synchronize()
                rounds += 1
                if rounds % 6 == 0 { self.ring.trimResidentPages() }
            }
        }
        await self.synchronize()
    }

    private func synchronize() async {
        let ring = self.ring
        let error: (any Error)? = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility)
                .async {
                    do {
                        try ring.synchronize()
                        continuation.resume(returning: nil)
                    } catch {
                        continuation.resume(returning: error)
                    }
                }
        }
        if let error {
            self.logger.error(
                "the ring cannot be written back; a power cut would lose more",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
