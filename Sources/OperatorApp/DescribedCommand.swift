internal import ArgumentParser
internal import Foundation

/// The command `campusctl described`.
struct DescribedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "described",
        abstract: "Devices that described themselves, and what is to become of them.",
        subcommands: [
            List.self, Show.self, Scan.self, Adopt.self, Accept.self, Refuse.self, Forget.self, Export.self,
        ],
        defaultSubcommand: List.self
    )

    struct Words: Codable {
        var vi: String
        var en: String
    }

    struct Item: Codable {
        struct Point: Codable {
            var name: String
            var title: Words
            var unit: String
            var kind: String
        }

        struct Left: Codable {
            var name: String
            var reason: Words
        }

        var key: String
        var family: String
        var state: String
        var name: String
        var hardware: String
        var vendor: String
        var model: String
        var firmware: String
        var address: String
        var device: String?
        var pointCount: Int
        var leftOutCount: Int
        var points: [Point]?
        var leftOut: [Left]?
        var differences: [Words]
        var firstHeard: String
        var lastHeard: String
        var isKept: Bool
    }

    /// The device that an argument names.
    struct Choice: ParsableArguments {
        @Argument(help: "Key of the described device, as the list has it.")
        var key: String

        func validate() throws {
            let isKey =
                (1...64).contains(self.key.utf8.count)
                && self.key.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
                }
            guard isKey else {
                throw ValidationError("'\(self.key)' is no key; `campusctl described` lists them")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them.")

        @OptionGroup var gateway: GatewayOptions

        @Option(help: "Only in this state: waiting, changed, adopted, known, unusable, refused.")
        var only: String?

        @Option(help: "Only of this family: zigbee2mqtt, home-assistant, esphome, tasmota, shelly, sunspec, sparkplug.")
        var family: String?

        func run() async throws {
            let items = try await self.gateway.client()
                .all(Item.self, "described", query: [("state", self.only), ("family", self.family)])
            if self.gateway.json { return print(try JSONOutput.text(items)) }
            TextTable.print(
                ["KEY", "STATE", "NAME", "MODEL", "POINTS", "NOT USABLE", "DEVICE", "LAST HEARD"],
                items.map { item in
                    let model = "\(item.vendor) \(item.model)"
                    return [
                        item.key, item.state, item.name, model, "\(item.pointCount)", "\(item.leftOutCount)",
                        item.device ?? "-", item.lastHeard,
                    ]
                }
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One with its points, what of it cannot be used and why, and what is different now."
        )

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let item = try await self.gateway.client().get(Item.self, "described/\(self.choice.key)")
            if self.gateway.json { return print(try JSONOutput.text(item)) }
            print("\(item.name): \(item.family), \(item.vendor) \(item.model) \(item.firmware), \(item.hardware)")
            print("\(item.state)\(item.device.map { " as \($0)" } ?? ""), \(item.address), heard \(item.lastHeard)")
            for point in item.points ?? [] { print("  \(point.name)  \(point.unit)  \(point.kind)  \(point.title.vi)") }
            for left in item.leftOut ?? [] { print("  without \(left.name): \(left.reason.en)") }
            for difference in item.differences { print("  different: \(difference.en)") }
        }
    }

    struct Scan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a Modbus unit for its SunSpec models; it is in the list then."
        )

        @OptionGroup var gateway: GatewayOptions

        @Option(help: "A bus of site.yaml.")
        var bus: String

        @Option(help: "Unit identifier.")
        var unit = 1

        private struct Request: Encodable {
            var bus: String
            var unit: Int
        }

        func run() async throws {
            let body = try JSONEncoder().encode(Request(bus: self.bus, unit: self.unit))
            let data = try await self.gateway.client().call("described/scan", method: "POST", body: body)
            let item = try JSONDecoder().decode(Item.self, from: data)
            print(
                self.gateway.json
                    ? try JSONOutput.text(item) : "\(item.key): \(item.name), \(item.pointCount) points, \(item.state)"
            )
        }
    }

    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make it a device of a room.")

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        @Option(help: "Identifier of the new device.")
        var device: String

        @Option(help: "Room of the new device.")
        var room: String

        func run() async throws {
            let request = ["device": self.device, "node": self.room]
            let body = try JSONEncoder().encode(request)
            _ = try await self.gateway.client()
                .call("described/\(self.choice.key)/adopt", method: "POST", body: body)
            print(self.gateway.json ? try JSONOutput.text(request) : "\(self.device) is a device of \(self.room) now")
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read an adopted device as it describes itself now."
        )

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            _ = try await self.gateway.client()
                .call("described/\(self.choice.key)/accept", method: "POST", body: Data())
            if !self.gateway.json { print("\(self.choice.key) is read as it describes itself now") }
        }
    }

    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Nobody wants it; --undo lets it wait again.")

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        @Flag(help: "Let it wait again.")
        var undo = false

        func run() async throws {
            _ = try await self.gateway.client()
                .call("described/\(self.choice.key)/refuse", method: self.undo ? "DELETE" : "POST", body: Data())
            if !self.gateway.json { print("\(self.choice.key) \(self.undo ? "waits again" : "is refused")") }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take it off the list until it announces itself again."
        )

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            _ = try await self.gateway.client().call("described/\(self.choice.key)", method: "DELETE")
            if !self.gateway.json { print("\(self.choice.key) is forgotten") }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print its profile, to keep or to correct as a file.")

        @OptionGroup var gateway: GatewayOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let data = try await self.gateway.client().call("described/\(self.choice.key)/profile")
            print(String(decoding: data, as: UTF8.self), terminator: "")
        }
    }
}
