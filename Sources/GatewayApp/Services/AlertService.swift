internal import Logging
internal import SchoolRecords
internal import ServiceLifecycle
internal import WebConsole

/// Lets the rules look four times a second, writes what they found, and tells open pages.
struct AlertService: Service {
    let watch: AlertWatch
    let live: LiveBroadcaster
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(250))
                round += 1
                let hasNews = self.watch.step()
                // Counts and sums once in half a minute, so that the card is not worn by them.
                let withNumbers = round % 120 == 1
                if hasNews || withNumbers { await self.write(withNumbers: withNumbers, hasNews: hasNews) }
            }
        }
        _ = self.watch.step()
        await self.write(withNumbers: true, hasNews: false)
    }

    private func write(withNumbers: Bool, hasNews: Bool) async {
        do {
            let watch = self.watch
            try await watch.records.perform { _ in try watch.commit(withNumbers: withNumbers) }
            if hasNews { self.live.publish("regions", [Int]()) }
        } catch {
            self.logger.error("alerts not written; tried again at once", metadata: ["error": "\(error)"])
        }
    }
}
