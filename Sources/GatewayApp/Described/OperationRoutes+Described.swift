internal import DeviceProfile
internal import SparkplugB

extension OperationRoutes {
    /// Counters of devices that describe themselves.
    func addDescribed(to text: inout MetricsText) {
        let (counters, lost, devices) = self.gateway.described.statistics
        text.gauge("campus_described_devices", "Devices that described themselves.", Double(devices))
        text.counter("campus_described_announcements_total", "Announcements read.", counters.announcements)
        text.counter("campus_described_broken_total", "Announcements that could not be read.", counters.broken)
        text.counter("campus_described_refused_total", "Announcements without room.", counters.refused)
        text.counter("campus_described_lost_total", "Announcements lost because too many waited.", lost)
        let (sparkplug, nodes) = self.gateway.sparkplug.statistics
        text.gauge("campus_sparkplug_nodes", "Edge nodes heard of.", Double(nodes))
        text.counter("campus_sparkplug_messages_total", "Messages of edge nodes.", sparkplug.messages)
        text.counter("campus_sparkplug_broken_total", "Payloads that are none of Sparkplug B.", sparkplug.broken)
        text.counter("campus_sparkplug_out_of_order_total", "Messages that did not follow.", sparkplug.outOfOrder)
        text.counter("campus_sparkplug_refused_total", "Nodes, devices and metrics without room.", sparkplug.refused)
        text.counter("campus_sparkplug_rebirths_total", "Births that were asked for.", sparkplug.rebirthRequests)
    }
}
