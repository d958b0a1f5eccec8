internal import CampusModel

/// Makes a device of the metrics that a Sparkplug birth told.
///
/// The gateway turns payloads into JSON before they are decoded: `{"values":[{"t":1704110400000,"h":false,"m":{"Temp":21}}]}`
/// on the topics of data, and `online` or `offline` on `DSTATE` or `NSTATE` (decision 67).
package enum SparkplugDescription {
    /// What a metric is.
    package enum Kind: Sendable, Hashable {
        case number
        case boolean
        case text
        /// A type that has no single value; its name.
        case other(String)
    }

    package struct Metric: Sendable, Hashable {
        package var name: String
        package var kind: Kind
        package var unit: String?

        package init(name: String, kind: Kind, unit: String?) {
            self.name = name
            self.kind = kind
            self.unit = unit
        }
    }

    static let pointsMax = 256

    /// - Parameter device: `nil`: the edge node itself.
    package static func device(group: String, node: String, device: String?, metrics: [Metric]) -> DescribedDevice {
        var parameters = ["group": group, "node": node]
        parameters["device"] = device
        var described = DescribedDevice(
            family: .sparkplug,
            identity: "\(group)/\(node)\(device.map { "/\($0)" } ?? "")",
            name: device ?? node,
            address: .mqtt(parameters: parameters)
        )
        described.hardware = DescriptionText.cleaned("\(group)/\(node)", charactersMax: 80)
        described.vendor = DescriptionText.cleaned(group, charactersMax: 60)
        described.model = DescriptionText.cleaned(device ?? node, charactersMax: 60)
        guard parameters.values.allSatisfy(HomeAssistantComponent.isTopic) else {
            described.leave(
                described.name,
                vi: "tên nhóm, nút hoặc thiết bị có ký tự lạ",
                en: "the name of its group, node or device is odd"
            )
            return described
        }
        let points = self.points(metrics, &described)
        guard !points.isEmpty else {
            described.leave(
                described.name,
                vi: "không có giá trị nào dùng được",
                en: "it has no value that can be taken"
            )
            return described
        }
        let of = device == nil ? "" : "/{device}"
        let letter = device == nil ? "N" : "D"
        described.draft = ProfileDraft(
            origin: ProfileDraft.Origin(
                prefix: "sparkplug",
                comment:
                    "Made of the birth of a Sparkplug edge node or device; payloads are read as the gateway turns them to JSON.",
                source: "Sparkplug B, birth certificate: what the edge node itself told",
                url: "https://sparkplug.eclipse.org/specification/"
            ),
            vendor: described.vendor,
            model: described.model,
            title: "\(described.vendor) \(described.model)",
            category: DescribedWords.category(properties: Set(points.map { $0.name.lowercased() }), types: []),
            messages: [
                ProfileDraft.Message(
                    name: "data",
                    topic: "spBv1.0/{group}/\(letter)DATA/{node}\(of)",
                    each: ProfileDraft.Each(list: ["values"], milliseconds: ["t"], isHistory: ["h"])
                )
            ],
            points: points,
            availability: ProfileDraft.Availability(
                topic: "spBv1.0/{group}/\(letter)STATE/{node}\(of)",
                online: "online",
                offline: "offline"
            )
        )
        return described
    }

    private static func points(_ metrics: [Metric], _ described: inout DescribedDevice) -> [ProfileDraft.Point] {
        var points: [ProfileDraft.Point] = []
        var names = PointNames()
        // What the node itself is told and tells about its births.
        for metric in metrics where metric.name != "bdSeq" && !metric.name.hasPrefix("Node Control/") {
            guard DescriptionText.isPlain(metric.name), JSONText.token(metric.name).utf8.count < 400 else {
                described.leave(metric.name, vi: "tên có ký tự lạ hoặc quá dài", en: "its name is odd or too long")
                continue
            }
            guard points.count < Self.pointsMax else {
                described.leave(
                    metric.name,
                    vi: "quá \(Self.pointsMax) giá trị",
                    en: "more than \(Self.pointsMax) values"
                )
                break
            }
            guard let kind = self.kind(metric, &described) else { continue }
            let told = metric.name.split(separator: "/").last.map(String.init) ?? metric.name
            let title = DescriptionText.cleaned(metric.name, charactersMax: 80)
            points.append(
                ProfileDraft.Point(
                    name: names.name(for: metric.name),
                    title: LocalizedText(vi: DescribedWords.vietnamese(told.lowercased()) ?? title, en: title),
                    places: [ProfileDraft.Place(message: "data", pointer: ["m", metric.name])],
                    kind: kind
                )
            )
        }
        return points
    }

    private static func kind(_ metric: Metric, _ described: inout DescribedDevice) -> ProfileDraft.Point.Kind? {
        switch metric.kind {
        case .boolean: return .boolean(on: nil, off: nil, labels: [])
        case .text: return .text
        case .other(let type):
            described.leave(
                metric.name,
                vi: "kiểu \(type) không phải một giá trị",
                en: "the type \(type) is no single value"
            )
            return nil
        case .number:
            guard let unit = DescribedWords.unit(metric.unit ?? "") else {
                let word = DescriptionText.cleaned(metric.unit ?? "", charactersMax: 40)
                described.leave(
                    metric.name,
                    vi: "đơn vị '\(word)' không biết; thêm điểm này vào tệp bằng tay nếu cần",
                    en: "the unit '\(word)' is not known here; add the point to the file by hand if it is needed"
                )
                return nil
            }
            return .number(unit: unit, range: nil, invalid: [])
        }
    }
}
