internal import CampusModel

/// The samples of one device as a JSON object, in messages of a bounded size.
struct JSONMessage {
    let identity: SeriesIdentity
    let bytesMax: Int

    /// One message.
    struct Message {
        var payload: [UInt8]
        /// Samples in it.
        var samples = 0
    }

    /// The messages for runs of this device, each run's samples in their order.
    func messages(_ runs: [SeriesRun]) -> [Message] {
        let head = self.head(isReplay: runs.contains { $0.isReplay })
        let tail = Array("]}".utf8)
        var messages: [Message] = []
        var message = Message(payload: head)
        for run in runs {
            let point = JSONText.quoted(run.identity.point)
            let unit = JSONText.quoted(run.identity.unit)
            for sample in run.samples {
                let item = Self.item(sample, point: point, unit: unit)
                if message.samples > 0 {
                    if message.payload.count + item.count + 3 > self.bytesMax {
                        messages.append(message)
                        message = Message(payload: head)
                    } else {
                        message.payload.append(UInt8(ascii: ","))
                    }
                }
                message.payload += item
                message.samples += 1
            }
        }
        if message.samples > 0 { messages.append(message) }
        for index in messages.indices { messages[index].payload += tail }
        return messages
    }

    private func head(isReplay: Bool) -> [UInt8] {
        var text = "{\"site\":\(JSONText.quoted(self.identity.site)),"
        if !self.identity.room.isEmpty { text += "\"room\":\(JSONText.quoted(self.identity.room))," }
        text += "\"device\":\(JSONText.quoted(self.identity.device)),\"replay\":\(isReplay),\"samples\":["
        return Array(text.utf8)
    }

    private static func item(_ sample: Sample, point: String, unit: String) -> [UInt8] {
        // Bad samples have no value, and numbers that are not finite no text in JSON.
        let hasValue = sample.quality.level != .bad && sample.value.isFinite
        let text =
            "{\"point\":\(point),\"at\":\"\(UTCText.rfc3339(sample.tick))\",\"value\":"
            + (hasValue ? "\(sample.value)" : "null") + ",\"unit\":\(unit),\"quality\":\"\(sample.quality)\"}"
        return Array(text.utf8)
    }
}

/// Publishes JSON messages, one or more a device, and waits until the broker has acknowledged them all.
package struct JSONSink: ExportSink {
    private let topic: ExportTopic
    private let bytesMax: Int
    private let publisher: any MessagePublishing

    package init(topic: ExportTopic, bytesMax: Int, publisher: any MessagePublishing) {
        self.topic = topic
        self.bytesMax = bytesMax
        self.publisher = publisher
    }

    package func run() async { await self.publisher.run() }

    package var problem: String? { self.publisher.problem }

    package func send(_ runs: [SeriesRun]) async throws -> SinkReceipt {
        let devices = Dictionary(grouping: runs) { $0.identity.device }
        return try await withThrowingTaskGroup(of: SinkReceipt.self) { group in
            for device in devices.values {
                guard let identity = device.first?.identity else { continue }
                let messages = JSONMessage(identity: identity, bytesMax: self.bytesMax).messages(device)
                let topic = self.topic.filled(identity)
                group.addTask {
                    var receipt = SinkReceipt(bytes: 0)
                    // One after the other: the order of a device is the order of its messages.
                    for message in messages {
                        let times = try await self.publisher.publish(topic: topic, payload: message.payload)
                        receipt.bytes += message.payload.count
                        if times > 1 { receipt.repeatedSamples += message.samples }
                    }
                    return receipt
                }
            }
            var sum = SinkReceipt(bytes: 0)
            for try await receipt in group {
                sum.bytes += receipt.bytes
                sum.repeatedSamples += receipt.repeatedSamples
            }
            return sum
        }
    }
}
