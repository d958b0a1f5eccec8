internal import CampusModel
internal import Exporters
internal import Logging
internal import SiteConfiguration

/// Makes the sink of an exporter with the adapter that it needs.
enum ExportSinks {
    /// What a sink may have to know of the gateway.
    struct Context: Sendable {
        var site: String
        var timer: any ExportTimer
        var devices: @Sendable () -> [SparkplugDevice]
    }

    /// - Throws: ``GatewayError`` when a file that the definition names cannot be read.
    static func sink(
        _ definition: ExporterDefinition,
        context: Context,
        logger: Logger
    ) throws(GatewayError) -> any ExportSink {
        switch definition.target {
        case .lineProtocol(let target):
            var format = LineProtocol()
            format.measurement = target.measurement
            format.quality = LineProtocol.QualityForm(rawValue: target.quality.rawValue) ?? .field
            format.precision = LineProtocol.Precision(rawValue: target.precision.rawValue) ?? .milliseconds
            let writer = try HTTPLineWriter(target, timeoutMilliseconds: definition.timeoutMilliseconds)
            return LineProtocolSink(format: format, writer: writer)
        case .mqttJSON(let broker, let topic):
            let publisher = try MQTTPublisher(
                broker,
                clientID: "\(context.site)-\(definition.name)",
                timeoutMilliseconds: definition.timeoutMilliseconds,
                logger: logger
            )
            return JSONSink(topic: ExportTopic(topic), bytesMax: definition.requestBytesMax, publisher: publisher)
        case .sparkplugB(let target):
            let node = target.node ?? context.site
            let publisher = try SparkplugPublisher(
                target,
                node: node,
                clientID: "\(context.site)-\(definition.name)",
                timeoutMilliseconds: definition.timeoutMilliseconds,
                firstNumber: UInt8(truncatingIfNeeded: context.timer.now().rawValue / 1_000),
                logger: logger
            )
            return SparkplugSink(
                group: target.group,
                node: node,
                publisher: publisher,
                devices: context.devices,
                timer: context.timer
            )
        }
    }
}
