internal import Acquisition
internal import CampusModel
internal import DeviceProfile
internal import ModbusTransport
internal import SchoolRecords

extension Gateway {
    /// Asks a unit for its chain of SunSpec models; returns the key of the described device.
    ///
    /// Only on request: reading at addresses that nobody named is nothing to do to a bus by itself.
    ///
    /// - Throws: ``GatewayError`` when there is no such bus, or no chain.
    func scan(bus id: String, unit: Int, actor: String) async throws -> String {
        guard let bus = self.bus(id) else {
            throw GatewayError(
                vi: "Không có bus tên '\(id)'; hãy khai báo trong site.yaml.",
                en: "there is no bus called '\(id)'; write it into site.yaml"
            )
        }
        guard let unit = UInt8(exactly: unit), unit <= 247 else {
            throw GatewayError(vi: "Số unit từ 0 đến 247.", en: "the unit is 0 to 247")
        }
        let reader = ModbusReader(bus: bus)
        var chain = SunSpecDescription()
        var failure: String?
        while let read = chain.next {
            let request = RegisterRequest(unit: unit, table: .holding, address: read.address, count: read.count)
            switch await reader.read([request], before: nil).first {
            case .words(let words, _, _): chain.take(.words(words))
            case .failure(let reason) where reason.reason != .exception:
                // Nobody is there: further questions only keep the bus busy.
                throw GatewayError(
                    vi: "Unit \(unit) trên bus '\(id)' không trả lời: \(reason.message)",
                    en: "unit \(unit) on bus '\(id)' does not answer: \(reason.message)"
                )
            case .failure(let reason):
                failure = reason.message
                chain.take(.refused)
            case nil: chain.take(.refused)
            }
        }
        guard let device = chain.device(bus: id, unit: unit) else {
            let last = failure.map { " (\($0))" } ?? ""
            throw GatewayError(
                vi: "Unit \(unit) trên bus '\(id)' không có chuỗi kiểu SunSpec ở 40000, 50000 hay 0.\(last)",
                en: "unit \(unit) on bus '\(id)' has no SunSpec models at 40000, 50000 or 0\(last)"
            )
        }
        let described = self.described
        try await self.records.perform { records in
            described.put(device)
            try records.audit(actor: actor, action: "scan", subject: "\(id)/\(unit)", detail: ["described": device.key])
        }
        return device.key
    }
}
