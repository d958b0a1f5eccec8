internal import ArgumentParser
internal import Foundation

/// The command `campusctl exporters`.
struct ExportersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exporters",
        abstract: "Where the exporters stand, and what became of outages."
    )

    @OptionGroup var gateway: GatewayOptions

    private struct Exporter: Decodable {
        struct Statement: Decodable { var text: String }

        struct DroppedSeries: Decodable {
            var point: String
            var count: UInt64
        }

        var name: String
        var kind: String
        var sent: UInt64
        var replayed: UInt64
        var dropped: UInt64
        var retries: UInt64
        var backlogSamples: Int
        var backlogSeconds: Double
        var connectedSince: String?
        var lastError: String?
        var statements: [Statement]
        var droppedSeries: [DroppedSeries]
    }

    func run() async throws {
        let client = try self.gateway.client()
        let data = try await client.call("exporters")
        if self.gateway.json { return print(String(decoding: data, as: UTF8.self)) }
        let exporters = try JSONDecoder().decode(Listing<Exporter>.self, from: data).items
        if exporters.isEmpty { return print("no exporter is configured") }
        TextTable.print(
            ["EXPORTER", "KIND", "SENT", "REPLAYED", "DROPPED", "RETRIES", "WAITING", "FOR", "CONNECTED SINCE"],
            exporters.map { exporter in
                [
                    exporter.name, exporter.kind, "\(exporter.sent)", "\(exporter.replayed)", "\(exporter.dropped)",
                    "\(exporter.retries)", "\(exporter.backlogSamples)", "\(Int(exporter.backlogSeconds)) s",
                    exporter.connectedSince ?? "NOT connected",
                ]
            }
        )
        for exporter in exporters {
            if exporter.connectedSince == nil, let error = exporter.lastError { print("\(exporter.name): \(error)") }
            for statement in exporter.statements { print("\(exporter.name): outage: \(statement.text)") }
            for series in exporter.droppedSeries {
                print("\(exporter.name): \(series.count) dropped of \(series.point)")
            }
        }
    }
}
