internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import ServiceLifecycle
internal import SiteConfiguration
internal import WebConsole

/// Sends what changed to the open pages, once a second.
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

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                guard self.live.hasSubscribers else { continue }
                self.send()
            }
        }
    }

    private func send() {
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
