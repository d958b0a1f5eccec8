internal import CampusModel

/// Walks the chain of SunSpec models of a Modbus device: says what to read next, and makes a device of all that came.
///
/// A value without I/O: ``next`` is the next read, ``take(_:)`` takes its reply.
///
/// Facts: SunSpec Device Information Model Specification; the chain begins with "SunS" at 40000, 50000 or 0, and each
/// model tells its number and length.
package struct SunSpecDescription: Sendable {
    /// A read of holding registers.
    package struct Read: Sendable, Hashable {
        package var address: UInt16
        package var count: UInt16
    }

    /// What came back.
    package enum Reply: Sendable {
        case words([UInt16])
        /// The device has no such registers, or did not answer.
        case refused
    }

    package static let bases: [UInt16] = [40_000, 50_000, 0]
    static let modelsMax = 64
    /// Registers of one read; some devices take no more.
    static let registersMax = 100

    private struct Model: Sendable {
        var id: Int
        var address: Int
        var length: Int
        var words: [UInt16] = []
    }

    private enum Step: Sendable {
        case base(Int)
        case header(Int)
        case body(Model)
        case done
    }

    private var step = Step.base(0)
    private var models: [Model] = []
    /// Why the chain ended before its end.
    private var problem: LocalizedText?

    package init() {}

    /// The next read; `nil` when the chain has ended.
    package var next: Read? {
        switch self.step {
        case .base(let index): Read(address: Self.bases[index], count: 2)
        case .header(let address): Read(address: UInt16(clamping: address), count: 2)
        case .body(let model):
            Read(
                address: UInt16(clamping: model.address + model.words.count),
                count: UInt16(clamping: min(Self.registersMax, model.length + 2 - model.words.count))
            )
        case .done: nil
        }
    }

    /// Takes the reply to ``next``.
    package mutating func take(_ reply: Reply) {
        guard let read = self.next else { return }
        var words: [UInt16]?
        if case .words(let told) = reply, told.count == read.count { words = told }
        switch self.step {
        case .base(let index):
            if words == [0x5375, 0x6E53] {
                self.step = .header(Int(read.address) + 2)
            } else {
                self.step = index + 1 < Self.bases.count ? .base(index + 1) : .done
            }
        case .header(let address): self.takeHeader(words, at: address)
        case .body(var model):
            guard let words else {
                self.end(vi: "không đọc được kiểu \(model.id)", en: "model \(model.id) could not be read")
                return
            }
            model.words += words
            if model.words.count < model.length + 2 {
                self.step = .body(model)
            } else {
                self.models.append(model)
                self.follow(model)
            }
        case .done: break
        }
    }

    private mutating func takeHeader(_ words: [UInt16]?, at address: Int) {
        guard let words else {
            return self.end(
                vi: "chuỗi kiểu bị đứt ở thanh ghi \(address)",
                en: "the chain breaks off at register \(address)"
            )
        }
        guard words[0] != 0xFFFF else {
            self.step = .done
            return
        }
        let model = Model(id: Int(words[0]), address: address, length: Int(words[1]))
        guard model.id > 0, model.length > 0, address + 2 + model.length <= 65_536 else {
            return self.end(
                vi: "kiểu ở thanh ghi \(address) không đúng",
                en: "the model at register \(address) is none"
            )
        }
        if model.id == 1 || SunSpecModels.values(model: model.id) != nil {
            // Of a model that is known no more than its own registers count.
            self.step = .body(Model(id: model.id, address: address, length: min(model.length, 200)))
        } else {
            self.models.append(model)
            self.follow(model)
        }
        self.lengths[address] = model.length
    }

    /// The lengths that the models told, by address.
    private var lengths: [Int: Int] = [:]

    private mutating func follow(_ model: Model) {
        let next = model.address + 2 + (self.lengths[model.address] ?? model.length)
        guard self.models.count < Self.modelsMax, next + 2 <= 65_536 else {
            return self.end(vi: "quá \(Self.modelsMax) kiểu", en: "more than \(Self.modelsMax) models")
        }
        self.step = .header(next)
    }

    private mutating func end(vi: String, en: String) {
        self.problem = LocalizedText(vi: vi, en: en)
        self.step = .done
    }

    /// The device, once the chain has ended; `nil` when there is no chain.
    package func device(bus: String, unit: UInt8) -> DescribedDevice? {
        guard !self.models.isEmpty else { return nil }
        let common = self.models.first { $0.id == 1 }?.words ?? []
        let (maker, model) = (Self.text(common, 2, 16), Self.text(common, 18, 16))
        let (version, serial) = (Self.text(common, 42, 8), Self.text(common, 50, 16))
        let isNamed = !maker.isEmpty && !serial.isEmpty
        var device = DescribedDevice(
            family: .sunspec,
            identity: isNamed ? "\(maker)/\(model)/\(serial)" : "\(bus)/\(unit)",
            name: model.isEmpty ? "SunSpec \(bus) \(unit)" : "\(maker) \(model)",
            address: .modbus(bus: bus, unit: unit)
        )
        device.hardware = serial
        device.vendor = maker.isEmpty ? "?" : maker
        device.model = model.isEmpty ? "?" : model
        device.firmware = version
        if let problem { device.leave("SunSpec", vi: problem.vi, en: problem.en) }
        var draft = ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: "sunspec",
                comment: "Made of the SunSpec models that a device told about itself.",
                source: "SunSpec models, read from the device",
                url: "https://github.com/sunspec/models"
            ),
            vendor: device.vendor,
            model: device.model,
            title: device.name,
            category: .energy
        )
        var names = PointNames()
        for model in self.models where model.id != 1 { self.add(model, &draft, &names, &device) }
        guard draft.points.contains(where: { !$0.isHidden }) else { return device }
        device.draft = draft
        return device
    }

    private func add(
        _ model: Model,
        _ draft: inout ProfileDraft,
        _ names: inout PointNames,
        _ device: inout DescribedDevice
    ) {
        guard let values = SunSpecModels.values(model: model.id) else {
            device.leave(
                "model \(model.id)",
                vi:
                    "kiểu SunSpec \(model.id) chưa đọc được; dùng campusctl profile import --from sunspec với tệp của kiểu",
                en: "SunSpec model \(model.id) is not read; use campusctl profile import --from sunspec with its file"
            )
            return
        }
        var exponents: [Int: String] = [:]
        let before = draft.points.count
        for value in values {
            guard let raw = Self.raw(value, model.words) else {
                device.leave(
                    value.name,
                    vi: "thiết bị nói là không có",
                    en: "the device says that it does not have it"
                )
                continue
            }
            var exponentName: String?
            var factor = 1.0
            if let offset = value.exponent {
                let exponent =
                    model.words.indices.contains(offset) ? Int(Int16(bitPattern: model.words[offset])) : -32_768
                guard (-10...10).contains(exponent) else {
                    device.leave(value.name, vi: "không có số mũ", en: "it has no exponent")
                    continue
                }
                factor = Self.power(of: exponent)
                exponentName = exponents[offset]
                if exponentName == nil {
                    let name = names.name(for: "sf-\(model.id)-\(offset)")
                    exponents[offset] = name
                    exponentName = name
                    draft.points.append(Self.exponent(name, address: model.address + offset))
                }
            }
            let name = names.name(for: value.name)
            draft.points.append(Self.point(value, name, model, exponentName))
            draft.expected[name] = raw * factor
        }
        if let offset = SunSpecModels.stateOffset(model: model.id), model.words.indices.contains(offset),
            SunSpecModels.states[Int(model.words[offset])] != nil
        {
            let name = names.name(for: "state")
            draft.points.append(
                ProfileDraft.Point(
                    name: name,
                    title: LocalizedText(vi: "Trạng thái", en: "State"),
                    places: [],
                    kind: .numbered(SunSpecModels.states),
                    register: ProfileDraft.Register(address: model.address + offset, type: "uint16")
                )
            )
            draft.expected[name] = Double(model.words[offset])
        }
        guard draft.points.count > before else { return }
        for start in stride(from: 0, to: model.words.count, by: Self.registersMax) {
            let words = Array(model.words[start..<min(start + Self.registersMax, model.words.count)])
            draft.replies.append(ProfileDraft.Reply(address: model.address + start, words: words))
        }
    }

    private static func point(
        _ value: SunSpecModels.Value,
        _ name: String,
        _ model: Model,
        _ exponent: String?
    ) -> ProfileDraft.Point {
        ProfileDraft.Point(
            name: name,
            title: value.title,
            places: [],
            kind: .number(unit: value.unit, range: nil, invalid: [value.invalid]),
            register: ProfileDraft.Register(
                address: model.address + value.offset,
                type: value.type.rawValue,
                exponentFrom: exponent
            )
        )
    }

    private static func exponent(_ name: String, address: Int) -> ProfileDraft.Point {
        ProfileDraft.Point(
            name: name,
            title: LocalizedText(vi: "Số mũ", en: "Exponent"),
            places: [],
            kind: .number(unit: "1", range: nil, invalid: ["-32768"]),
            register: ProfileDraft.Register(address: address, type: "int16", isHidden: true, isSlow: true)
        )
    }

    /// The raw value; `nil` where the device says that it has none.
    private static func raw(_ value: SunSpecModels.Value, _ words: [UInt16]) -> Double? {
        guard value.offset + value.count <= words.count else { return nil }
        let first = words[value.offset]
        switch value.type {
        case .int16: return first == 0x8000 ? nil : Double(Int16(bitPattern: first))
        case .uint32:
            let both = UInt32(first) << 16 | UInt32(words[value.offset + 1])
            return both == 0 || both == .max ? nil : Double(both)
        case .float32:
            let number = Float(bitPattern: UInt32(first) << 16 | UInt32(words[value.offset + 1]))
            return number.isFinite ? Double(number) : nil
        default: return first == 0xFFFF ? nil : Double(first)
        }
    }

    private static func power(of exponent: Int) -> Double {
        let whole = (0..<abs(exponent)).reduce(1.0) { product, _ in product * 10 }
        return exponent < 0 ? 1 / whole : whole
    }

    /// A text of registers up to its first NUL; empty where the model is shorter.
    private static func text(_ words: [UInt16], _ offset: Int, _ count: Int) -> String {
        guard offset + count <= words.count else { return "" }
        let bytes = words[offset..<offset + count].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        return DescriptionText.cleaned(text.replacing("\u{FFFD}", with: " "), charactersMax: 32)
    }
}
