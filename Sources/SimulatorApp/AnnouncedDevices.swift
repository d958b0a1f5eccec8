internal import CampusModel
internal import DeviceProfile

/// Devices that nobody configured: they announce themselves as their families do, and then send values.
///
/// A gateway shows them waiting for adoption.
struct AnnouncedDevices: Sendable {
    /// A message to send.
    struct Message: Sendable, Equatable {
        var topic: String
        var payload: [UInt8]
        var isRetained: Bool

        init(_ topic: String, _ payload: String, isRetained: Bool = false) {
            self.topic = topic
            self.payload = Array(payload.utf8)
            self.isRetained = isRetained
        }
    }

    let model: SignalModel

    /// What is sent once, and kept by the broker where the family does so.
    var announcements: [Message] {
        [
            Message("zigbee2mqtt/bridge/devices", Self.bridge, isRetained: true),
            Message("tasmota/discovery/A4CF123F1B2C/config", Self.tasmotaConfig, isRetained: true),
            Message("tasmota/discovery/A4CF123F1B2C/sensors", Self.tasmotaSensors, isRetained: true),
            Message("tele/tasmota_3F1B2C/LWT", "Online", isRetained: true),
            Message("shellies/announce", Self.shelly), Message("\(Self.shellyID)/online", "true", isRetained: true),
            Message("homeassistant/sensor/thu-vien/co2/config", Self.espHome("co2"), isRetained: true),
            Message("homeassistant/sensor/thu-vien/temperature/config", Self.espHome("temperature"), isRetained: true),
            Message("thu-vien/status", "online", isRetained: true),
        ]
    }

    /// Values of all of them at an instant.
    ///
    /// - Parameter isWhole: Whether the Shelly tells everything, as it does after a restart, or only what changed.
    func values(at tick: Tick, isWhole: Bool) -> [Message] {
        func value(_ device: String, _ name: String, _ low: Double, _ high: Double) -> String {
            let share = self.model.occupancy(at: tick)
            let wave = Double((tick.rawValue / 1_000 + Int64(device.utf8.count * name.utf8.count)) % 60) / 60
            let value = low + (high - low) * (0.7 * share + 0.3 * wave)
            return NumberText.text((value * 10).rounded() / 10)
        }
        let temperature = value("zigbee", "temperature", 26, 31)
        let humidity = value("zigbee", "humidity", 55, 80)
        let power = value("tasmota", "power", 5, 180)
        let plug = value("shelly", "power", 0, 900)
        let seconds = tick.rawValue / 1_000
        return [
            Message(
                "zigbee2mqtt/phong-y-te",
                #"{"temperature":\#(temperature),"humidity":\#(humidity),"battery":93,"linkquality":120}"#
            ),
            Message(
                "tele/tasmota_3F1B2C/SENSOR",
                #"{"Time":"2024-01-01T00:00:00","ENERGY":{"Total":12.4,"Today":0.3,"Power":\#(power),"Voltage":229,"Current":0.4}}"#
            ),
            Message(
                "tele/tasmota_3F1B2C/STATE",
                #"{"Time":"2024-01-01T00:00:00","UptimeSec":100,"POWER":"ON","Wifi":{"RSSI":78,"Signal":-61}}"#
            ),
            // Of a Shelly only what changed.
            Message(
                "\(Self.shellyID)/events/rpc",
                isWhole ? Self.shellyFull(plug) : Self.shellyPart(plug, Double(seconds))
            ), Message("thu-vien/sensor/co2/state", value("esphome", "co2", 450, 1_300), isRetained: true),
            Message("thu-vien/sensor/temperature/state", value("esphome", "temperature", 26, 30), isRetained: true),
        ]
    }

    private static let bridge = """
        [{"ieee_address":"0x00124b00120144ae","type":"Coordinator","friendly_name":"Coordinator","definition":null},\
        {"ieee_address":"0xa4c1380b2c3d4e5f","type":"EndDevice","friendly_name":"phong-y-te","software_build_id":"0122",\
        "definition":{"model":"SNZB-02D","vendor":"SONOFF","description":"Temperature and humidity sensor","exposes":[\
        {"type":"numeric","name":"temperature","property":"temperature","label":"Temperature","unit":"°C","access":1},\
        {"type":"numeric","name":"humidity","property":"humidity","label":"Humidity","unit":"%","access":1},\
        {"type":"numeric","name":"battery","property":"battery","unit":"%","value_min":0,"value_max":100,"access":1},\
        {"type":"enum","name":"identify","property":"identify","values":["identify"],"access":2},\
        {"type":"numeric","name":"linkquality","property":"linkquality","unit":"lqi","value_min":0,"value_max":255,\
        "access":1}]}}]
        """

    private static let tasmotaConfig = """
        {"ip":"192.168.1.20","dn":"Ổ cắm máy bơm","fn":["Tasmota"],"hn":"tasmota-3F1B2C-6956","mac":"A4CF123F1B2C",\
        "md":"Athom Plug V2","ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],\
        "sw":"14.2.0","t":"tasmota_3F1B2C","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],\
        "rl":[1,0,0,0],"swc":[-1],"btn":[0],"so":{"4":0},"lk":0,"lt_st":0,"ver":1}
        """

    private static let tasmotaSensors = """
        {"sn":{"Time":"2024-01-01T00:00:00","ENERGY":{"TotalStartTime":"2023-01-01T00:00:00","Total":12.4,"Today":0.3,\
        "Power":40,"Voltage":229,"Current":0.4}},"ver":1}
        """

    private static let shellyID = "shellyplus1pm-a8032ab12345"
    private static let shelly = """
        {"id":"shellyplus1pm-a8032ab12345","name":"Quạt nhà đa năng","mac":"A8032AB12345","model":"SNSW-001P16EU",\
        "gen":2,"ver":"1.4.4","app":"Plus1PM","auth_en":false}
        """

    private static func shellyFull(_ power: String) -> String {
        """
        {"src":"\(self.shellyID)","dst":"\(self.shellyID)/events","method":"NotifyFullStatus","params":{"ts":null,\
        "switch:0":{"id":0,"output":true,"apower":\(power),"voltage":230.1,"current":0.8,"pf":0.95,\
        "aenergy":{"total":1042.5},"temperature":{"tC":41.2,"tF":106.2}},"wifi":{"rssi":-60},"sys":{"uptime":200}}}
        """
    }

    private static func shellyPart(_ power: String, _ seconds: Double) -> String {
        """
        {"src":"\(self.shellyID)","dst":"\(self.shellyID)/events","method":"NotifyStatus",\
        "params":{"ts":\(seconds),"switch:0":{"id":0,"apower":\(power)}}}
        """
    }

    private static func espHome(_ name: String) -> String {
        let isCO2 = name == "co2"
        return """
            {"dev_cla":"\(isCO2 ? "carbon_dioxide" : "temperature")","unit_of_meas":"\(isCO2 ? "ppm" : "°C")",\
            "stat_cla":"measurement","name":"\(isCO2 ? "CO2" : "Temperature")","stat_t":"thu-vien/sensor/\(name)/state",\
            "avty_t":"thu-vien/status","uniq_id":"thuvien\(name)","dev":{"ids":"a0b1c2d3e4f5","name":"Thư viện",\
            "sw":"esphome v2024.10.0","mdl":"esp32dev","mf":"espressif"}}
            """
    }
}
