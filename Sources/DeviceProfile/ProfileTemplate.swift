/// A profile with all its variants, before somebody has said which one hangs on the wall.
///
/// References between parts are indexes into these lists here, and mean whatever of the same name holds.
final class ProfileTemplate: Sendable {
    /// A part with the settings under which it holds.
    struct Part<Content: Sendable>: Sendable {
        var content: Content
        var only: SettingCondition
    }

    /// What is wrong with one combination of settings: the part and a message.
    struct Problem: Error {
        enum Place: Hashable {
            case point(Int)
            case event(Int)
            case control(Int)
        }

        var place: Place
        var message: String
    }

    /// The parts that hold together.
    struct Resolved {
        var wire: DeviceProfile.Wire
        var points: [PointDefinition]
        var events: [EventDefinition]
        var controls: [ControlDefinition]
    }

    let wire: DeviceProfile.Wire
    /// Of the messages of an MQTT wire, in its order.
    let messageConditions: [SettingCondition]
    let points: [Part<PointDefinition>]
    let events: [Part<EventDefinition>]
    let controls: [Part<ControlDefinition>]

    init(
        wire: DeviceProfile.Wire,
        messageConditions: [SettingCondition],
        points: [Part<PointDefinition>],
        events: [Part<EventDefinition>],
        controls: [Part<ControlDefinition>]
    ) {
        self.wire = wire
        self.messageConditions = messageConditions
        self.points = points
        self.events = events
        self.controls = controls
    }

    /// The parts that hold under `choices`, their references turned to each other.
    func resolved(_ choices: [String: String]) throws(Problem) -> Resolved {
        let messages = self.keptMessages(choices)
        var indexOfName: [String: Int] = [:]
        var kept: [(index: Int, point: PointDefinition)] = []
        for (index, part) in self.points.enumerated() where part.only.holds(choices) {
            guard let source = Self.source(part.content.source, messages) else { continue }
            guard indexOfName.updateValue(kept.count, forKey: part.content.name) == nil else {
                throw Problem(place: .point(index), message: "two points are called '\(part.content.name)'")
            }
            var point = part.content
            point.source = source
            kept.append((index, point))
        }
        var points: [PointDefinition] = []
        for (index, var point) in kept {
            func turned(_ reference: Int) throws(Problem) -> Int {
                let name = self.points[reference].content.name
                guard let found = indexOfName[name] else {
                    throw Problem(place: .point(index), message: "the point '\(name)' that it refers to is not there")
                }
                return found
            }
            for offset in point.validities.indices {
                point.validities[offset].point = try turned(point.validities[offset].point)
            }
            if let other = point.scale.exponentFrom { point.scale.exponentFrom = try turned(other) }
            if let other = point.scale.multiplyFrom { point.scale.multiplyFrom = try turned(other) }
            points.append(point)
        }
        return Resolved(
            wire: self.wire(messages),
            points: points,
            events: try self.resolvedEvents(choices, messages),
            controls: try self.resolvedControls(choices, indexOfName)
        )
    }

    /// For each message its index among those that hold; `nil` for the others and for Modbus.
    private func keptMessages(_ choices: [String: String]) -> [Int?] {
        var next = 0
        return self.messageConditions.map { condition in
            guard condition.holds(choices) else { return nil }
            defer { next += 1 }
            return next
        }
    }

    private func wire(_ messages: [Int?]) -> DeviceProfile.Wire {
        guard case .mqtt(var wire) = self.wire else { return self.wire }
        wire.messages = zip(wire.messages, messages).compactMap { message, index in index == nil ? nil : message }
        return .mqtt(wire)
    }

    private static func source(_ source: PointDefinition.Source, _ messages: [Int?]) -> PointDefinition.Source? {
        guard case .payload(let places) = source else { return source }
        let found = places.compactMap { place -> PayloadSource? in
            guard messages.indices.contains(place.messageIndex), let index = messages[place.messageIndex] else {
                return nil
            }
            var place = place
            place.messageIndex = index
            return place
        }
        return found.isEmpty ? nil : .payload(found)
    }

    private func resolvedEvents(
        _ choices: [String: String],
        _ messages: [Int?]
    ) throws(Problem) -> [EventDefinition] {
        var events: [EventDefinition] = []
        for (index, part) in self.events.enumerated() where part.only.holds(choices) {
            var event = part.content
            if case .payload(let message, let sequence, let fields) = event.capture {
                guard messages.indices.contains(message), let kept = messages[message] else { continue }
                event.capture = .payload(messageIndex: kept, sequence: sequence, fields: fields)
            }
            if events.contains(where: { $0.name == event.name }) {
                throw Problem(place: .event(index), message: "two events are called '\(event.name)'")
            }
            events.append(event)
        }
        return events
    }

    private func resolvedControls(
        _ choices: [String: String],
        _ indexOfName: [String: Int]
    ) throws(Problem) -> [ControlDefinition] {
        var controls: [ControlDefinition] = []
        for (index, part) in self.controls.enumerated() where part.only.holds(choices) {
            var control = part.content
            if case .point(let reference, let within, let tolerance) = control.readback {
                let name = self.points[reference].content.name
                guard let found = indexOfName[name] else {
                    throw Problem(place: .control(index), message: "the point '\(name)' of its readback is not there")
                }
                control.readback = .point(found, withinMilliseconds: within, tolerance: tolerance)
            }
            if controls.contains(where: { $0.name == control.name }) {
                throw Problem(place: .control(index), message: "two controls are called '\(control.name)'")
            }
            controls.append(control)
        }
        return controls
    }
}
