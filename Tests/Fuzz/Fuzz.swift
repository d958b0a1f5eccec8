internal import AlertEngine
internal import AlertRules
internal import CampusModel
internal import DeviceProfile
internal import FirmwareContract
internal import Foundation
internal import SiteConfiguration
internal import StrictYAML
internal import TimeSeriesRing

/// What libFuzzer feeds, chosen by the variable CAMPUS_FUZZ.
enum Target: String {
    case payload
    /// What a line device sends, cut and matched against each of its requests.
    case line
    /// The body of a request that a device pushes, cut and decoded.
    case push
    case profile
    /// A document of a contract, or its samples.
    case contract
    /// A payload that is validated against a contract.
    case promise
    case configuration
    /// A file of rules, or of their tests.
    case rules
    /// An announcement of a device that describes itself.
    case description
    /// Messages of an edge node.
    case sparkplug
    case ring
}

/// Decoders of every shipped profile, made once.
private struct Decoders {
    var messages: [(decoder: MessageDecoder, topic: String)] = []
    var registers: [RegisterPlan] = []

    init(folder: String) {
        for profile in ProfileLibrary(folders: [folder]).profiles {
            switch profile.wire {
            case .mqtt(let wire):
                let names =
                    wire.messages.flatMap(\.topic.parameterNames) + (wire.availability?.topic.parameterNames ?? [])
                let parameters = Dictionary(names.map { ($0, "x") }, uniquingKeysWith: { first, _ in first })
                guard
                    let decoder = try? MessageDecoder(
                        profile: profile,
                        device: DeviceID(rawValue: "fuzz"),
                        parameters: parameters,
                        zonelessOffsetSeconds: 25_200
                    )
                else {
                    fatalError("\(profile.id): no decoder")
                }
                for filter in decoder.subscriptions {
                    let topic = filter.replacing("+", with: "x").replacing("#", with: "x")
                    self.messages.append((decoder, topic))
                }
            case .line, .http: break
            case .modbus:
                for poll in PointDefinition.PollClass.allCases {
                    let plan = RegisterPlan(profile: profile, poll: poll)
                    if !plan.reads.isEmpty { self.registers.append(plan) }
                }
            }
        }
        precondition(!self.messages.isEmpty && !self.registers.isEmpty, "no profiles in \(folder)")
    }

    /// The first byte chooses the profile, the rest is the payload or the registers.
    func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let rest = Array(input.dropFirst())
        let index = Int(choice) % (self.messages.count + self.registers.count)
        if index < self.messages.count {
            let (decoder, topic) = self.messages[index]
            let outcome = decoder.decode(
                topic: topic,
                payload: rest,
                isRetained: choice > 200,
                arrival: Tick(milliseconds: 1_790_000_000_000)
            )
            for value in outcome.values where value.quality.level != .bad {
                precondition(value.value.isFinite, "a value that is not bad is finite")
            }
        } else {
            self.decode(self.registers[index - self.messages.count], rest)
        }
    }

    private func decode(_ plan: RegisterPlan, _ bytes: [UInt8]) {
        var at = 0
        let replies = plan.reads.map { read in
            RegisterReply.words(
                (0..<Int(read.count))
                    .map { _ in
                        defer { at += 2 }
                        return at + 1 < bytes.count ? UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) : 0
                    }
            )
        }
        var values: [DecodedValue] = []
        var texts: [DecodedText] = []
        plan.decode(replies: replies, into: &values, texts: &texts)
        for value in values where value.quality.level != .bad {
            precondition(value.value.isFinite, "a value that is not bad is finite")
        }
    }
}

/// Line devices of every shipped profile, made once.
private struct Lines {
    private var requests: [(wire: LineWire, request: LineWire.Request, decoder: MessageDecoder)] = []

    init(folder: String) {
        for profile in ProfileLibrary(folders: [folder]).profiles {
            guard case .line(let wire) = profile.wire else { continue }
            guard
                let decoder = try? MessageDecoder(
                    profile: profile,
                    device: DeviceID(rawValue: "fuzz"),
                    parameters: [:],
                    zonelessOffsetSeconds: 0
                )
            else { fatalError("\(profile.id): no decoder") }
            self.requests += wire.requests.map { (wire, $0, decoder) }
        }
        precondition(!self.requests.isEmpty, "no line profiles in \(folder)")
    }

    /// The first byte chooses the request, the rest is what the device sends.
    func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let (wire, request, decoder) = self.requests[Int(choice) % self.requests.count]
        var rest = Array(input.dropFirst())[...]
        while let length = wire.frameLength(in: rest), length.frame + length.end > 0 {
            precondition(length.frame + length.end <= rest.count, "a frame lies in what came")
            let frame = rest.prefix(length.frame)
            rest = rest.dropFirst(length.frame + length.end)
            for greeting in wire.greetings { _ = greeting.match.match(wire.trimmed(frame), unit: 1) }
            guard case .reply(let payload) = wire.verdict(on: wire.trimmed(frame), for: request, unit: 1) else {
                continue
            }
            let outcome = decoder.decode(
                topic: LineWire.topicText(of: request.name),
                payload: Array(payload.utf8),
                isRetained: false,
                arrival: Tick(milliseconds: 1_790_000_000_000)
            )
            guard case .decoded = outcome.status else { fatalError("a reply is a payload: \(payload)") }
            for value in outcome.values where value.quality.level != .bad {
                precondition(value.value.isFinite, "a value that is not bad is finite")
            }
        }
    }
}

/// Requests of every shipped profile that pushes, made once.
private struct Pushes {
    private var routes: [(body: HTTPWire.Body, topic: String, decoder: MessageDecoder)] = []
    private var wires: [HTTPWire] = []

    init(folder: String) {
        for profile in ProfileLibrary(folders: [folder]).profiles {
            guard case .http(let wire) = profile.wire else { continue }
            self.wires.append(wire)
            guard
                let decoder = try? MessageDecoder(
                    profile: profile,
                    device: DeviceID(rawValue: "fuzz"),
                    parameters: ["serial": "1"],
                    zonelessOffsetSeconds: 25_200
                )
            else { fatalError("\(profile.id): no decoder") }
            for route in wire.routes {
                guard let body = route.body, let topic = route.message.topic.filter(parameters: ["serial": "1"]) else {
                    continue
                }
                self.routes.append((body, topic, decoder))
            }
        }
        precondition(!self.routes.isEmpty, "no profiles that push in \(folder)")
    }

    /// The first byte chooses the request; the rest is a target for an odd one, otherwise a body.
    func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let rest = Array(input.dropFirst())
        guard choice & 1 == 0 else {
            let target = String(decoding: rest, as: UTF8.self)
            for wire in self.wires { _ = wire.match(method: "POST", target: target) }
            return
        }
        let (body, topic, decoder) = self.routes[Int(choice / 2) % self.routes.count]
        for payload in HTTPWire.payloads(rest, as: body, contentType: "multipart/form-data; boundary=b") {
            _ = decoder.decode(
                topic: topic,
                payload: payload,
                isRetained: false,
                arrival: Tick(milliseconds: 1_790_000_000_000)
            )
        }
    }
}

/// Validators of every shipped contract, made once.
private struct Promises {
    private var channels: [(validator: ContractValidator, topic: String)] = []

    init(folder: String) {
        let library = ContractLibrary(folders: [folder])
        for entry in library.names.compactMap({ library[$0] }) {
            let validator = ContractValidator(contract: entry.contract, older: entry.older.map(\.version))
            for filter in validator.filters {
                self.channels.append((validator, filter.replacing("+", with: "x")))
            }
        }
        precondition(!self.channels.isEmpty, "no contracts in \(folder)")
    }

    /// The first byte chooses the channel, the rest is the payload.
    func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let (validator, topic) = self.channels[Int(choice) % self.channels.count]
        switch validator.check(topic: topic, payload: Array(input.dropFirst())) {
        case .notCovered: fatalError("\(topic) is a channel")
        case .valid: break
        case .violation(let violation):
            precondition(!violation.differences.isEmpty, "a violation is told")
            precondition(violation.differences.count <= ContractViolation.differencesMax, "differences are bounded")
            for line in violation.lines(in: .vi) + violation.lines(in: .en) {
                precondition(line.utf8.count < 4_096, "a line is bounded")
                precondition(!line.unicodeScalars.contains { $0.value < 0x20 }, "a line is a line")
            }
        }
    }

    /// A document that is read is one that everything can be made of.
    static func read(_ text: String) {
        _ = try? ContractSamples.read(yaml: text, file: "1.0.yaml")
        guard let contract = try? FirmwareContract.read(yaml: text, file: "asyncapi.yaml") else { return }
        precondition(ContractComparison(old: contract, new: contract).changes.isEmpty, "nothing differs from itself")
        let validator = ContractValidator(contract: contract)
        for vector in ContractVectors(contract: contract).vectors.prefix(200) {
            _ = validator.check(topic: vector.topic, payload: Array(vector.payload.utf8))
        }
        _ = try? CHeader(contract: contract)
    }
}

/// Rules that are read run over any values.
private enum Rules {
    private static let points = ["temperature", "co2", "power"].enumerated()
        .map { index, name in
            WatchedSite.Point(
                id: PointID(device: DeviceID(rawValue: "d\(index)"), name: name),
                node: NodeID(rawValue: "p1"),
                unit: ["Cel", "[ppm]", "W"][index],
                profile: "test",
                category: "environment",
                bus: "mqtt",
                interval: 60_000
            )
        }

    static func read(_ text: String) {
        if let file = try? RuleTestFile.read(yaml: text, file: "fuzz.test.yaml"), file.tests.count < 8 {
            let few = file.tests.allSatisfy { $0.series.allSatisfy { $0.steps.count < 1_000 } }
            if few { _ = RuleTestRunner.run(file, rules: []) }
        }
        guard let pack = try? RulePack.read(yaml: text, file: "fuzz.yaml") else { return }
        let site = WatchedSite(
            nodes: [
                .init(id: NodeID(rawValue: "s"), parent: nil, kind: "site"),
                .init(id: NodeID(rawValue: "p1"), parent: NodeID(rawValue: "s"), kind: "room", room: "classroom"),
            ],
            points: self.points,
            hours: SchoolHours(weekdays: [1, 2, 3, 4, 5], lessons: [420..<465], utcOffsetSeconds: 25_200)
        )
        var engine = AlertEngine(RuleBinding(pack.rules, on: site).set, at: Tick(milliseconds: 1_795_482_000_000))
        var sequence: Int64 = 0
        for (step, byte) in text.utf8.prefix(256).enumerated() {
            let now = engine.now.advanced(byMilliseconds: Int64(byte) * 1_000)
            let value = byte == 0x65 ? 1e300 : Double(byte) * 20
            engine.accept([(step % 3, Sample(tick: now, value: value))], now: now)
            for transition in engine.takeTransitions() {
                precondition(transition.sequence == sequence + 1, "numbers have no gap")
                sequence = transition.sequence
            }
        }
    }
}

private let target = Target(rawValue: ProcessInfo.processInfo.environment["CAMPUS_FUZZ"] ?? "")
private nonisolated(unsafe) let probe = BlockProbe()
private let decoders = Decoders(folder: ProcessInfo.processInfo.environment["CAMPUS_PROFILES"] ?? "DeviceProfiles")

private let pushes = Pushes(folder: ProcessInfo.processInfo.environment["CAMPUS_PROFILES"] ?? "DeviceProfiles")
private let lines = Lines(folder: ProcessInfo.processInfo.environment["CAMPUS_PROFILES"] ?? "DeviceProfiles")

private let promises = Promises(
    folder: ProcessInfo.processInfo.environment["CAMPUS_CONTRACTS"] ?? "Firmware-Contracts"
)

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    switch target {
    case .payload: decoders.run(input)
    case .line: lines.run(input)
    case .push: pushes.run(input)
    case .profile:
        let text = String(decoding: input, as: UTF8.self)
        if let profile = try? DeviceProfile.read(yaml: text, file: "fuzz.yaml") { _ = GoldenRunner.run(profile) }
    case .contract: Promises.read(String(decoding: input, as: UTF8.self))
    case .promise: promises.run(input)
    case .configuration:
        let text = String(decoding: input, as: UTF8.self)
        _ = try? GatewayConfiguration.read(yaml: text, file: "/etc/campus/gateway.yaml")
        // What can be read must also run.
        if let site = try? SiteDefinition.read(yaml: text, file: "/etc/campus/site.yaml") {
            let now = Tick(milliseconds: 1_795_399_200_000)
            for schedule in site.schedules.prefix(4) {
                let next = schedule.next(
                    after: now,
                    timetable: site.timetable,
                    utcOffsetSeconds: site.utcOffsetSeconds
                )
                guard let next else { continue }
                precondition(next > now, "a next run that is over")
            }
        }
    case .rules: Rules.read(String(decoding: input, as: UTF8.self))
    case .description: Announcements.run(input)
    case .sparkplug: EdgeNode.run(input)
    case .ring: _ = probe.read(input)
    case nil:
        fatalError(
            "CAMPUS_FUZZ is payload, line, push, profile, contract, promise, configuration, rules, description, "
                + "sparkplug or ring"
        )
    }
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The package manager makes this the program's `main`.
@_cdecl("campus_fuzz_main")
func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, fuzzOne)
}
