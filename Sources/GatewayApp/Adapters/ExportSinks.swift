internal import Exporters
internal import Logging
internal import SiteConfiguration

/// Makes the sink of an exporter with the adapter that it needs.
enum ExportSinks {
    /// - Throws: ``GatewayError`` when a file that the definition names cannot be read.
    static func sink(
        _ definition: ExporterDefinition,
        site: String,
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
                clientID: "\(site)-\(definition.name)",
                timeoutMilliseconds: definition.timeoutMilliseconds,
                logger: logger
            )
            return JSONSink(topic: ExportTopic(topic), bytesMax: definition.requestBytesMax, publisher: publisher)
        }
    }
}
