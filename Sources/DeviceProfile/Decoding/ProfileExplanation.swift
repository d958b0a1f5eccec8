package import CampusModel

/// What a profile makes of given bytes, point by point, for `campusctl profile try` and golden cases.
package struct ProfileExplanation: Sendable {
    /// One point.
    package struct Row: Sendable {
        package var point: Int
        package var name: String
        /// The registers or the JSON text that the value was made from; empty when it is not in the bytes.
        package var bytes: String
        /// The value on the wire before scaling; `nil` when there is none.
        package var raw: Double?
        package var value: Double
        package var text: String?
        package var quality: Quality
        /// The unit's display text.
        package var unit: String
        /// The label of an enumeration value.
        package var label: LocalizedText?
    }

    package var rows: [Row] = []
    package var events: [Event] = []
    package var time: Tick?
    /// Of a payload with a list: what each element says, and when.
    package var elements: [(time: Tick?, rows: [Row])] = []
    /// What is wrong with the bytes as a whole; `nil` when they can be read.
    package var problem: String?

    /// Explains registers: every point that lies wholly in the image.
    package init(profile: DeviceProfile, image: RegisterImage) {
        for (index, point) in profile.points.enumerated() {
            guard case .register(let source) = point.source else { continue }
            if image.isRefused(source) {
                self.rows.append(
                    Row(
                        point: index,
                        name: point.name,
                        bytes: "exception",
                        raw: nil,
                        value: 0,
                        text: nil,
                        quality: .bad(.communication),
                        unit: Units.text(for: point.unit),
                        label: nil
                    )
                )
                continue
            }
            guard let words = image.words(source.table, source.address, source.addressCount) else { continue }
            self.rows.append(Self.row(profile, index, source, words: words, image: image))
        }
        self.events = EventPlan.plans(of: profile)
            .compactMap { plan in
                plan.presented(in: image, device: DeviceID(rawValue: "try"), tick: Tick(milliseconds: 0))
            }
    }

    private static func row(
        _ profile: DeviceProfile,
        _ index: Int,
        _ source: RegisterSource,
        words: [UInt16],
        image: RegisterImage
    ) -> Row {
        let point = profile.points[index]
        var row = Row(
            point: index,
            name: point.name,
            bytes: HexText.text(words.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }),
            raw: nil,
            value: 0,
            text: nil,
            quality: .good,
            unit: Units.text(for: point.unit),
            label: nil
        )
        if source.type.isText {
            row.text = words.withUnsafeBufferPointer { source.text(in: $0, at: 0) }
            return row
        }
        guard let raw = words.withUnsafeBufferPointer({ source.raw(in: $0, at: 0) }) else {
            row.quality = .bad(.malformed)
            return row
        }
        row.raw = raw
        var exponent = 0.0
        if let other = point.scale.exponentFrom {
            guard let found = self.value(profile, other, image), abs(found) <= 10 else {
                row.quality = .bad(.notReady)
                return row
            }
            exponent = found
        }
        var factor = 1.0
        if let other = point.scale.multiplyFrom {
            guard let found = self.value(profile, other, image), found != 0 else {
                row.quality = .bad(.notReady)
                return row
            }
            factor = found
        }
        (row.value, row.quality) = ValueRule(point).judged(raw: raw, exponent: exponent, factor: factor)
        for validity in point.validities where row.quality.level != .bad {
            let other = self.value(profile, validity.point, image)
            if !(other.map { validity.accepts($0) } ?? false) {
                row.value = 0
                row.quality = .bad(.notReady)
            }
        }
        if row.quality.level != .bad { row.label = point.label(for: row.value) }
        return row
    }

    private static func value(_ profile: DeviceProfile, _ index: Int, _ image: RegisterImage) -> Double? {
        let point = profile.points[index]
        guard case .register(let source) = point.source,
            let words = image.words(source.table, source.address, source.addressCount),
            let raw = words.withUnsafeBufferPointer({ source.raw(in: $0, at: 0) })
        else { return nil }
        let (value, quality) = ValueRule(point).judged(raw: raw)
        return quality.level == .bad ? nil : value
    }

    /// Explains a message.
    package init(
        profile: DeviceProfile,
        topic: String,
        payload: [UInt8],
        parameters: [String: String],
        zonelessOffsetSeconds: Int64,
        arrival: Tick,
        isRetained: Bool = false
    ) {
        let decoder: MessageDecoder
        do throws(MessageDecoderError) {
            decoder = try MessageDecoder(
                profile: profile,
                device: DeviceID(rawValue: "try"),
                parameters: parameters,
                zonelessOffsetSeconds: zonelessOffsetSeconds
            )
        } catch {
            self.problem = error.description
            return
        }
        let outcome = decoder.decode(topic: topic, payload: payload, isRetained: isRetained, arrival: arrival)
        switch outcome.status {
        case .notMine:
            self.problem =
                "the topic or payload is none of this profile's messages; it listens to "
                + decoder.subscriptions.joined(separator: ", ")
        case .violation(let reason, let detail): self.problem = "\(reason.rawValue): \(detail)"
        case .availability(let isOnline): self.problem = "availability: \(isOnline ? "online" : "offline")"
        case .ignored: self.problem = "a retained message, which the profile ignores"
        case .decoded: break
        }
        self.time = outcome.time
        self.events = outcome.events
        self.rows = Self.rows(of: outcome, profile)
        self.elements = outcome.elements.map { ($0.time, Self.rows(of: $0, profile)) }
    }

    private static func rows(of outcome: MessageOutcome, _ profile: DeviceProfile) -> [Row] {
        var rows: [Row] = []
        for value in outcome.values {
            let point = profile.points[value.point]
            rows.append(
                Row(
                    point: value.point,
                    name: point.name,
                    bytes: self.place(of: point),
                    raw: nil,
                    value: value.value,
                    text: nil,
                    quality: value.quality,
                    unit: Units.text(for: point.unit),
                    label: value.quality.level == .bad ? nil : point.label(for: value.value)
                )
            )
        }
        for text in outcome.texts {
            let point = profile.points[text.point]
            rows.append(
                Row(
                    point: text.point,
                    name: point.name,
                    bytes: self.place(of: point),
                    raw: nil,
                    value: 0,
                    text: point.privacy == .none ? text.text : Masking.masked(text.text),
                    quality: .good,
                    unit: "",
                    label: nil
                )
            )
        }
        return rows.sorted { $0.point < $1.point }
    }

    private static func place(of point: PointDefinition) -> String {
        guard case .payload(let places) = point.source else { return "" }
        return places.map { $0.pointer?.description ?? "(payload)" }.joined(separator: ", ")
    }
}
