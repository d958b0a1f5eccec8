internal import Acquisition
internal import CampusModel
internal import Controls
internal import DeviceProfile
internal import ServiceLifecycle
internal import SiteConfiguration
internal import WebConsole

/// Sends what changed to the open pages, once a second: values, states, the counters of the overview, and that what a
/// page lists is no longer what it should list.
struct LiveFeed: Service {
    let gateway: Gateway
    let live: LiveBroadcaster

    struct SampleItem: Encodable {
        var point: String
        var text: LocalizedText
        var quality: String
        var note: LocalizedText
        /// The site's local time, milliseconds.
        var time: Int64
    }

    struct StateItem: Encodable {
        var key: String
        var kind: String
        var label: LocalizedText
    }

    struct FigureItem: Encodable {
        var key: String
        var text: LocalizedText
    }

    /// What was sent last.
    private struct Sent {
        var figures: [String: LocalizedText] = [:]
        var listing: Listing?
    }

    /// What decides which devices and rooms pages list, and how.
    private struct Listing: Equatable {
        var states: [DeviceID: String]
        var quarantined: Int
        var loaded: Tick
        /// Of commands and what is held.
        var controls: UInt64
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var sent = Sent()
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                guard self.live.hasSubscribers else { continue }
                self.sendValues()
                self.sendOverview(&sent)
            }
        }
    }

    private func sendOverview(_ sent: inout Sent) {
        let figures = OverviewFigure.all(of: self.gateway)
        let changed = figures.filter { sent.figures[$0.key] != $0.text }
        if !changed.isEmpty {
            for figure in changed { sent.figures[figure.key] = figure.text }
            self.live.publish("figures", changed.map { FigureItem(key: $0.key, text: $0.text) })
        }
        var states: [DeviceID: String] = [:]
        for runtime in self.gateway.engine.devices {
            let health = runtime.health
            states[runtime.device.id] = "\(health.state) \(health.reason)"
        }
        let listing = Listing(
            states: states,
            quarantined: self.gateway.engine.quarantine.count,
            loaded: self.gateway.configurationProblems.loaded,
            controls: self.gateway.controls.revision
        )
        guard listing != sent.listing else { return }
        sent.listing = listing
        self.live.publish("regions", [Int]())
    }

    private func sendValues() {
        var samples: [SampleItem] = []
        var states: [StateItem] = []
        let offset = self.gateway.site.utcOffsetSeconds * 1_000
        for runtime in self.gateway.engine.devices {
            guard let (health, points) = runtime.takeChanges() else { continue }
            states.append(
                StateItem(
                    key: "device/\(runtime.device.id)",
                    kind: health.state.statusKind.rawValue,
                    label: health.state.label
                )
            )
            for point in points {
                guard let latest = point.latest else { continue }
                let definition = runtime.device.profile.points[point.index]
                guard definition.privacy == .none else { continue }
                samples.append(
                    SampleItem(
                        point: point.id.description,
                        text: point.text.map { LocalizedText(vi: $0, en: $0) } ?? ValueText.text(latest, definition),
                        quality: latest.quality.description,
                        note: latest.quality.label,
                        time: latest.tick.rawValue + offset
                    )
                )
            }
        }
        // Several small events rather than one that no buffer holds.
        for start in stride(from: 0, to: samples.count, by: 200) {
            self.live.publish("samples", Array(samples[start..<min(start + 200, samples.count)]))
        }
        for start in stride(from: 0, to: states.count, by: 200) {
            self.live.publish("states", Array(states[start..<min(start + 200, states.count)]))
        }
    }
}
