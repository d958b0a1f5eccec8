internal import Acquisition
internal import CampusModel
internal import MQTTTransport
internal import TimeSeriesRing
internal import WebConsole

/// One counter of the overview, on the page and in the live feed.
struct OverviewFigure {
    /// Names it in live `figures` events.
    var key: String
    var label: LocalizedText
    var text: LocalizedText
    /// The page that tells more.
    var address: String?

    /// All counters as they are now.
    static func all(of gateway: Gateway) -> [OverviewFigure] {
        let devices = gateway.engine.devices
        let online = devices.count { $0.health.state == .online }
        let bad = devices.reduce(0) { $0 + $1.badPointCount }
        let running = gateway.clock.now().rawValue - gateway.started.rawValue
        return [
            OverviewFigure(
                key: "alerts",
                label: LocalizedText(vi: "Cảnh báo đang xảy ra", en: "Active alerts"),
                text: self.plain("\(gateway.alerts.activeCount)"),
                address: "/alerts"
            ),
            OverviewFigure(
                key: "online",
                label: LocalizedText(vi: "Thiết bị hoạt động", en: "Devices online"),
                text: self.plain("\(online)/\(devices.count)"),
                address: "/devices"
            ),
            OverviewFigure(
                key: "bad-points",
                label: LocalizedText(vi: "Điểm đo không dùng được", en: "Points without a usable value"),
                text: self.plain("\(bad)")
            ),
            OverviewFigure(
                key: "quarantine",
                label: LocalizedText(vi: "Bản tin bị cách ly", en: "Kinds of quarantined messages"),
                text: self.plain("\(gateway.engine.quarantine.count)"),
                address: "/quarantine"
            ),
            OverviewFigure(
                key: "samples",
                label: LocalizedText(vi: "Mẫu đã lưu từ lúc khởi động", en: "Samples stored since start"),
                text: ValueText.grouped(gateway.ring.statistics.appended)
            ),
            OverviewFigure(
                key: "broker",
                label: LocalizedText(vi: "Máy chủ MQTT", en: "MQTT broker"),
                text: gateway.receiver.connectionState == .connected
                    ? LocalizedText(vi: "Đã kết nối", en: "Connected")
                    : LocalizedText(vi: "Mất kết nối", en: "Not connected")
            ),
            OverviewFigure(
                key: "running",
                label: LocalizedText(vi: "Đang chạy", en: "Running for"),
                text: LocalTime.span(running)
            ),
        ]
    }

    private static func plain(_ text: String) -> LocalizedText { LocalizedText(vi: text, en: text) }

    /// The figure as a tile that follows the live feed.
    func tile(_ language: Language) -> ValueTile {
        ValueTile(
            label: self.label.text(in: language),
            value: self.text.text(in: language),
            figure: self.key,
            address: self.address
        )
    }
}
