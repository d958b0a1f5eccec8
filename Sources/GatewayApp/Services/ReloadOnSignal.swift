internal import Logging
internal import SchoolRecords
internal import ServiceLifecycle
internal import UnixSignals

/// Takes the configuration up anew at SIGHUP.
struct ReloadOnSignal: Service {
    let gateway: Gateway

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                let gateway = self.gateway
                let problems = try await gateway.records.perform { _ in try gateway.reload(actor: "signal") }
                gateway.logger.info("configuration taken up", metadata: ["problems": "\(problems.count)"])
            } catch {
                self.gateway.logger.error(
                    "configuration not taken up; the old one stays",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }
}
