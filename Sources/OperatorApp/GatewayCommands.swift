internal import ArgumentParser
internal import Foundation

/// The command `campusctl status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "The gateway at a glance.")

    @OptionGroup var gateway: GatewayOptions

    private struct Status: Decodable {
        var name: Words
        var version: String
        var startedAt: String
        var devices: [String: Int]
        var points: Int
        var samplesStored: UInt64
        var brokerConnected: Bool
        var quarantine: Int
        var configurationProblems: [String]
    }

    func run() async throws {
        let client = try self.gateway.client()
        let data = try await client.call("status")
        let status = try JSONDecoder().decode(Status.self, from: data)
        if self.gateway.json { print(String(decoding: data, as: UTF8.self)) } else { self.show(status) }
        if !status.brokerConnected || !status.configurationProblems.isEmpty { throw ExitCode(1) }
    }

    private func show(_ status: Status) {
        let states = status.devices.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        print("\(status.name.vi) (\(status.name.en)), gateway \(status.version), started \(status.startedAt)")
        print("devices:    \(states.isEmpty ? "none" : states)")
        print("points:     \(status.points), \(status.samplesStored) samples stored since the start")
        print("broker:     \(status.brokerConnected ? "connected" : "NOT connected")")
        print("quarantine: \(status.quarantine) kinds of messages")
        for problem in status.configurationProblems { print("problem:    \(problem)") }
    }
}

/// The command `campusctl devices`.
struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "devices", abstract: "Devices with their health.")

    @OptionGroup var gateway: GatewayOptions

    @Option(help: "Only devices in this state: waiting, online, late, offline, quarantined.")
    var only: String?

    @Option(help: "Only devices of this room.")
    var room: String?

    private struct Device: Codable {
        var id: String
        var node: String
        var profile: String
        var state: String
        var reason: String
        var since: String
        var lastSeen: String?
    }

    func run() async throws {
        let client = try self.gateway.client()
        let devices = try await client.all(Device.self, "devices", query: [("state", self.only), ("node", self.room)])
        if self.gateway.json {
            return print(try JSONOutput.text(devices))
        }
        TextTable.print(
            ["DEVICE", "ROOM", "STATE", "REASON", "SINCE", "LAST SEEN", "PROFILE"],
            devices.map { [$0.id, $0.node, $0.state, $0.reason, $0.since, $0.lastSeen ?? "-", $0.profile] }
        )
    }
}

/// The command `campusctl latest`.
struct LatestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "latest", abstract: "Newest values.")

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device; all without one.")
    var device: String?

    func run() async throws {
        let points = try await PointValue.all(try self.gateway.client(), device: self.device)
        if self.gateway.json {
            return print(try JSONOutput.text(points))
        }
        TextTable.print(["POINT", "VALUE", "UNIT", "QUALITY", "AT"], points.map(\.row))
    }
}

/// A point with its newest value.
struct PointValue: Codable, Equatable {
    var id: String
    var unit: String
    var hasHistory: Bool
    var value: Double?
    var text: String?
    var quality: String?
    var at: String?

    var row: [String] {
        [self.id, self.value.map { "\($0)" } ?? self.text ?? "-", self.unit, self.quality ?? "-", self.at ?? "-"]
    }

    static func all(_ client: GatewayClient, device: String?) async throws -> [PointValue] {
        try await client.all(PointValue.self, "latest", query: [("device", device), ("limit", "5000")])
    }
}

/// The command `campusctl query`.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "query", abstract: "History of one point.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case csv
        case json
    }

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "device/point")
    var point: String

    @Option(parsing: .unconditional, help: "Start: RFC 3339, or -24h and the like.")
    var from = "-1h"

    @Option(parsing: .unconditional, help: "End, not included.")
    var to: String?

    @Option(help: "Statistics by steps of this length instead of samples: 10s, 1min, 1h.")
    var step: String?

    @Option(help: "table, csv or json.")
    var format = Format.table

    private struct Item: Codable {
        var at: String
        var value: Double?
        var mean: Double?
        var minimum: Double?
        var maximum: Double?
        var quality: String?
        var count: Int?
    }

    func validate() throws {
        guard self.point.split(separator: "/").count == 2 else {
            throw ValidationError("the point is written device/point")
        }
    }

    func run() async throws {
        let client = try self.gateway.client()
        let format = self.gateway.json ? .json : self.format
        var items: [Item] = []
        var from: String? = self.from
        while let start = from {
            let path = "points/\(self.point)/\(self.step == nil ? "samples" : "rollups")"
            let page = try await client.get(
                Listing<Item>.self,
                path,
                query: [("from", start), ("to", self.to), ("step", self.step), ("limit", "10000")]
            )
            items += page.items
            from = page.next
        }
        switch format {
        case .json: print(try JSONOutput.text(items))
        case .csv:
            print(self.step == nil ? "at,value,quality" : "at,mean,minimum,maximum,count")
            for item in items { print(self.cells(item, empty: "").joined(separator: ",")) }
        case .table:
            TextTable.print(
                self.step == nil ? ["AT", "VALUE", "QUALITY"] : ["AT", "MEAN", "MIN", "MAX", "COUNT"],
                items.map { self.cells($0, empty: "-") }
            )
        }
    }

    private func cells(_ item: Item, empty: String) -> [String] {
        func text(_ value: Double?) -> String { value.map { "\($0)" } ?? empty }
        return self.step == nil
            ? [item.at, text(item.value), item.quality ?? empty]
            : [item.at, text(item.mean), text(item.minimum), text(item.maximum), "\(item.count ?? 0)"]
    }
}

/// The command `campusctl tail`.
struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print values as they change, until Ctrl-C."
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "A device; all without one.")
    var device: String?

    @Option(help: "End after this many seconds; 0 never ends.")
    var seconds = 0

    func run() async throws {
        let client = try self.gateway.client()
        var known: [String: PointValue] = [:]
        let end = self.seconds > 0 ? ContinuousClock.now + .seconds(self.seconds) : nil
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            for point in try await PointValue.all(client, device: self.device) where known[point.id] != point {
                known[point.id] = point
                let line =
                    self.gateway.json
                    ? try JSONOutput.text(point)
                    : point.row.joined(separator: "  ")
                // Written at once, also into a pipe.
                FileHandle.standardOutput.write(Data((line + "\n").utf8))
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}

/// The command `campusctl reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Take up changed gateway.yaml, site.yaml and profiles."
    )

    @OptionGroup var gateway: GatewayOptions

    private struct Reloaded: Codable { var problems: [String] }

    func run() async throws {
        let data = try await self.gateway.client().call("reload", method: "POST", body: Data())
        let reloaded = try JSONDecoder().decode(Reloaded.self, from: data)
        if self.gateway.json {
            print(try JSONOutput.text(reloaded))
        } else {
            for problem in reloaded.problems { print(problem) }
            if reloaded.problems.isEmpty { print("taken up without problems") }
        }
        if !reloaded.problems.isEmpty { throw ExitCode(1) }
    }
}

/// The command `campusctl adopt`.
struct AdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Make a device of a quarantined message; without an entry, list them."
    )

    @OptionGroup var gateway: GatewayOptions

    @Argument(help: "Number of the entry.")
    var entry: UInt64?

    @Option(help: "Profile; the best fit without one.")
    var profile: String?

    @Option(help: "Identifier of the new device.")
    var device: String?

    @Option(help: "Room of the new device.")
    var room: String?

    private struct Entry: Codable {
        struct Suggestion: Codable { var profile: String }
        var id: UInt64
        var topic: String
        var reason: String
        var count: UInt64
        var suggestions: [Suggestion]
    }

    func run() async throws {
        let client = try self.gateway.client()
        let entries = try await client.all(Entry.self, "quarantine")
        guard let entry else {
            if self.gateway.json { return print(try JSONOutput.text(entries)) }
            return TextTable.print(
                ["ENTRY", "TOPIC", "REASON", "COUNT", "FITS"],
                entries.map {
                    [
                        "\($0.id)", $0.topic, $0.reason, "\($0.count)",
                        $0.suggestions.map(\.profile).joined(separator: " "),
                    ]
                }
            )
        }
        guard let found = entries.first(where: { $0.id == entry }) else {
            throw OperatorError("there is no entry \(entry); `campusctl adopt` lists them")
        }
        guard let profile = self.profile ?? found.suggestions.first?.profile else {
            throw OperatorError("no profile fits this message; write one and `campusctl reload`")
        }
        guard let device, let room else { throw OperatorError("--device and --room are needed") }
        let request = ["profile": profile, "device": device, "node": room]
        let body = try JSONEncoder().encode(request)
        _ = try await client.call("quarantine/\(entry)/adopt", method: "POST", body: body)
        print(self.gateway.json ? try JSONOutput.text(request) : "\(device) is a device now, read with \(profile)")
    }
}
